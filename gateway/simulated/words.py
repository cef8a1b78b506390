"""What a simulated model says: words about the request, cut where the client wants them cut."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from gateway.core.chat import Finish

QUOTED_WORDS = 12  # of the request, in the answer
QUOTED_CHARS = 120  # of them, in scripts without spaces
WORDS_PER_SENTENCE = 8  # of the request, that make the answer a sentence longer
TOKEN = re.compile(r"\s*\S{1,5}|\s+$")  # about what a tokenizer makes of English
SENTENCES = (
    "No model was called, so these words only stand in for an answer.",
    "A real one would weigh what you wrote and reply to it point by point.",
    "Token counts, costs and headers are computed as for a real provider.",
    "The longer the request is, the longer this text becomes.",
    "The same request gets the same text every time, which is good to test against.",
    "The pace of the stream imitates that of the model it is named after.",
    "Put the key of a provider into the configuration to hear from the model itself.",
)


class Said(msgspec.Struct, frozen=True):
    """The tokens of one text, and why it ended."""

    tokens: tuple[str, ...]
    finish: Finish
    stop_sequence: str | None = None

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.tokens)


def about(model: str, topic: str, said: str, choice: int = 0) -> str:
    """
    An answer of *model*. *said* is quoted as what *topic* names ("You asked"); its length decides
    that of the answer. Each *choice* begins its sentences elsewhere.
    """
    words = said.split()
    sentences = 1 + min(len(words) // WORDS_PER_SENTENCE, len(SENTENCES) - 1)
    start = (len(said) + choice) % len(SENTENCES)
    chosen = [SENTENCES[(start + row) % len(SENTENCES)] for row in range(sentences)]
    quote = f" {topic}: “{quoted(words)}”." if words else ""
    return " ".join((f"This is a simulated answer from {model}.{quote}", *chosen))


def quoted(words: Sequence[str]) -> str:
    """The first words, with a sign where more follow."""
    quote = " ".join(words[:QUOTED_WORDS])
    more = len(words) > QUOTED_WORDS or len(quote) > QUOTED_CHARS
    return quote[:QUOTED_CHARS] + "…" if more else quote


def tokens_of(text: str) -> tuple[str, ...]:
    """*text* in pieces that stand for tokens; joined they are the text."""
    return tuple(TOKEN.findall(text))


def cut(text: str, stops: Sequence[str], tokens_max: int | None) -> Said:
    """*text* up to the first of *stops* in it, and to *tokens_max* tokens."""
    found = [(at, stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    stop_sequence = None
    if found:
        at, stop_sequence = min(found)
        text = text[:at]
    tokens = tokens_of(text)
    if tokens_max is not None and len(tokens) > tokens_max:
        return Said(tokens[:tokens_max], Finish.LENGTH)
    return Said(tokens, Finish.STOP, stop_sequence)
