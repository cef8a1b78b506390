"""Text to token ids: the only file that imports tokenizers."""

from __future__ import annotations

import os

import msgspec

# A pool of threads inside the library would take the cores of the event loop. Read at first use.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tokenizers

from models.artefact import REMEDY, ArtefactError
from models.excerpt import ASK_MARK, split_excerpt
from models.features import ASK_HEAD_CHARS, ASK_TAIL_CHARS, PRIOR_CHARS_MAX
from models.truncate import truncate


class Tokens(msgspec.Struct, frozen=True):
    """The token *ids* of a text, the two ends included, and whether its middle is missing."""

    ids: list[int]
    truncated: bool


class Tokenizer:
    """
    Word pieces of texts, at most *tokens_max* of each. *first* and *last* are the ids of the ends,
    *mark* that between the turns before and the ask.

    Raises ArtefactError when *content* is no tokenizer.
    """

    def __init__(self, content: bytes, tokens_max: int, first: int, last: int, mark: int) -> None:
        try:
            self._pieces = tokenizers.Tokenizer.from_str(content.decode())
        except Exception as error:  # the library raises plain Exception
            raise ArtefactError(f"the tokenizer cannot be read: {error}; {REMEDY}") from error
        self._pieces.no_truncation()
        self._pieces.no_padding()
        self.tokens_max = tokens_max
        self._first = first
        self._last = last
        self._mark = mark

    def read(self, texts: list[str]) -> list[Tokens]:
        """The tokens of each text. Holds no lock of Python while it works."""
        bounded = [ends_of(text) for text in texts]
        found = self._pieces.encode_batch_fast(bounded, add_special_tokens=False)
        return [self._cut(one.ids) for one in found]

    def _cut(self, ids: list[int]) -> Tokens:
        kept = truncate(ids, self.tokens_max - 2, self._mark)
        return Tokens([self._first, *kept, self._last], truncated=len(kept) < len(ids))


def ends_of(text: str) -> str:
    """
    The text itself, for any that the gateway makes; of a longer one, both ends of the ask and the
    end of what precedes, as the first stage reads. It bounds the time of other callers' texts.
    """
    text = text.encode("utf-8", "replace").decode()  # half of a surrogate pair is no text
    if len(text) <= ASK_HEAD_CHARS + ASK_TAIL_CHARS:
        return text
    prior, ask = split_excerpt(text)
    if len(ask) > ASK_HEAD_CHARS + ASK_TAIL_CHARS:
        ask = f"{ask[:ASK_HEAD_CHARS]}\n{ask[-ASK_TAIL_CHARS:]}"
    return f"{prior[-PRIOR_CHARS_MAX:]}{ASK_MARK}{ask}" if prior else ask
