"""Read the cheap facts of a request: the signals that rules ask for and decisions record."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.core.chat import Chat
from gateway.core.fleet import Capability
from gateway.core.request import Kind
from gateway.core.signals import Signals
from gateway.signals.excerpt import Excerpt
from gateway.signals.language import language_of, limits_in, script_of
from gateway.signals.parts import Contents, read_contents
from gateway.signals.tokens import Counts, counts_of, estimate
from kernels import text as kernel

CODE_LINES_MIN = 2  # one line that ends in a semicolon may be prose
OPERATORS_MIN = 8  # fewer may be an emoticon or a blank to fill in
OPERATOR_SHARE = 0.03  # of all characters: prose has a hundredth of that
SIGNS_MIN = 2  # of code or mathematics: code without them is too short to matter
ARITHMETIC_MIN = 2  # "2 + 2" has two, "C++ 11" one
_CODE_MARKS = (
    *("):\n", "\ndef ", "\nimport ", "#include", "();", "() {", ") {", "){", " => ", "</", "self."),
    *("std::", " == ", " != ", "print(", "SELECT ", "console.", "return ", " -> "),
)
_NEEDS_OF_KIND = {
    Kind.CHAT: int(Capability.CHAT),
    Kind.COMPLETION: int(Capability.COMPLETIONS),
    Kind.EMBEDDING: int(Capability.EMBEDDINGS),
}
_TOOLS, _VISION, _JSON = int(Capability.TOOLS), int(Capability.VISION), int(Capability.JSON)
_STREAM = int(Capability.STREAM)  # plain integers: an operation on flags costs a microsecond
_CAPABILITIES = [Capability(bits) for bits in range(2 * max(Capability))]


class AskSignals(msgspec.Struct, frozen=True):
    """Those of the signals that are said of the ask; as they stand where nobody has read it."""

    has_code: bool = False
    has_math: bool = False
    questions: int = 0
    constraints: int = 0
    words: int = 0
    script: str = ""
    language: str = ""


UNREAD = Excerpt(text="", ask="", truncated=False, agent_continuation=False)
NOTHING_ASKED = AskSignals()


def read_signals(chat: Chat, kind: Kind, excerpt: Excerpt | None) -> Signals:
    """
    All signals of *chat*, asked for as *kind*; *excerpt* is what read_excerpt found in it.

    What is said of the ask is said of the words of the human in the excerpt, never of harness text
    or of older turns. Where routing is off nothing depends on the ask: *excerpt* is None, and what
    would be said of it is empty. Never fails, whatever the chat holds. Cost grows with the size of
    the chat, about a nanosecond for each byte.
    """
    contents = read_contents(chat)
    counts = counts_of(contents.texts)
    tokens = estimate(contents, counts, kind)
    needs = needs_of(chat, kind, contents)
    if excerpt is None:
        excerpt, said = UNREAD, NOTHING_ASKED
    else:
        alone = contents.texts == [excerpt.ask]  # as in most single-turn chats
        said = read_ask(excerpt.ask, counts if alone else counts_of((excerpt.ask,)))
    return Signals(
        tokens_in=tokens.tokens_in,
        tokens_system=tokens.tokens_system,
        system_prompt_chars=sum(map(len, contents.system)),
        turns=contents.turns,
        asks=contents.asks,
        needs=_CAPABILITIES[needs],
        has_tools=contents.uses_tools,
        has_vision=needs & _VISION != 0,
        requires_json=needs & _JSON != 0,
        has_code=said.has_code,
        has_math=said.has_math,
        questions=said.questions,
        constraints=said.constraints,
        words=said.words,
        script=said.script,
        language=said.language,
        max_tokens=chat.max_tokens,
        stream=chat.stream,
        agent_continuation=excerpt.agent_continuation,
        excerpt_chars=len(excerpt.text),
        excerpt_truncated=excerpt.truncated,
    )


def read_ask(ask: str, counted: Counts) -> AskSignals:
    """What the words of the human say; *counted* is what the kernel counts in them."""
    counts: list[int] = counted.tolist()
    words = ask.lower().split()
    script = script_of(counts)
    code = holds_code(ask, counts)
    return AskSignals(
        has_code=code,
        has_math=holds_math(counts, code=code),
        questions=counts[kernel.QUESTION],
        constraints=counts[kernel.LIST_ITEMS] + limits_in(words, ask, script),
        words=words_in(words, script, counts),
        script=script,
        language=language_of(words, ask, script, counts),
    )


def needs_of(chat: Chat, kind: Kind, contents: Contents) -> int:
    """What a deployment must be able to do to serve the request, as bits of Capability."""
    needs = _NEEDS_OF_KIND[kind]
    if contents.uses_tools:
        needs |= _TOOLS
    if contents.images or any("image" in part.kind for part in contents.opaque):
        needs |= _VISION
    if chat.response_format is not None or "response_format" in chat.extra:
        needs |= _JSON
    if chat.stream:
        needs |= _STREAM
    return needs


def holds_code(text: str, counts: Sequence[int]) -> bool:
    """Whether *text*, with these *counts*, shows code; to name a language is not enough."""
    if counts[kernel.FENCES]:
        return True
    if counts[kernel.TEX_COMMANDS]:
        return False  # its braces and signs look like operators
    operators = counts[kernel.OPERATORS]
    if operators and counts[kernel.CODE_LINES] >= CODE_LINES_MIN:
        return True
    if operators >= max(OPERATORS_MIN, OPERATOR_SHARE * sum(counts[: kernel.CLASSES])):
        return True
    if counts[kernel.CODE] + counts[kernel.MATH] < SIGNS_MIN:
        return False
    marks = sum(mark in text for mark in _CODE_MARKS)
    return marks + text.startswith(("def ", "import ", "from ", "class ", "function ")) > 1


def holds_math(counts: Sequence[int], *, code: bool) -> bool:
    """Whether a text with these *counts* shows formulas, and not those of *code*."""
    if counts[kernel.TEX_COMMANDS]:
        return True
    return not code and counts[kernel.ARITHMETIC] >= ARITHMETIC_MIN


def words_in(words: Sequence[str], script: str, counts: Sequence[int]) -> int:
    """How many words an ask has; in scripts without spaces about two letters make one."""
    if script in ("han", "kana", "thai"):
        letters = counts[kernel.HAN] + counts[kernel.KANA] + counts[kernel.THAI]
        return max(len(words), letters // 2)
    return len(words)
