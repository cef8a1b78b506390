"""
Watch a stream of the OpenAI family that is passed through.

Byte searches first: inside a JSON string every quote is escaped, so ``"usage"`` with bare quotes
is a name (or a value that says just that) and never part of the answer's words. Only an event that
has such a name with a value other than null is decoded.
"""

from __future__ import annotations

import re

import msgspec

from gateway.core.chat import Finish, Usage
from gateway.wire import sse
from gateway.wire.decode import NULL, UNREADABLE, given
from gateway.wire.dialect import Mark
from gateway.wire.openai_answer import finish_of
from gateway.wire.openai_usage import usage_of

RARE = (b'"finish_reason"', b'"usage"', b'"error"')
CALL = re.compile(rb'"tool_calls":\s*\[\s*\{')
STRING_REST = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*')
FALSY = frozenset({b"null", b"false", b"0", b'""', b"{}", b"[]"})
DONE = b"[DONE]"


def openings(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """How the strings of members *names* begin, as compact and as Python's json writes them."""
    return tuple(b'"%b":%b"' % (name, gap) for name in names for gap in (b"", b" "))


# "text": Mistral's reasoning models send content as parts.
CHAT_WORDS = openings(
    (b"content", b"arguments", b"reasoning_content", b"reasoning", b"refusal", b"text")
)
COMPLETION_WORDS = openings((b"text",))


class Choice(msgspec.Struct):
    """Part of one answer; Moonshot puts usage here."""

    finish_reason: str | None = None
    usage: msgspec.Raw = NULL


class Groq(msgspec.Struct):
    """Groq's own member, where it put usage before it followed OpenAI."""

    usage: msgspec.Raw = NULL


class Chunk(msgspec.Struct):
    """What a chunk may carry besides words."""

    choices: list[Choice] | None = None
    usage: msgspec.Raw = NULL
    x_groq: Groq | None = None
    error: msgspec.Raw = NULL


CHUNK = msgspec.json.Decoder(Chunk)


class OpenAIWatch:
    """See ``Watch``. Usage counts in whichever chunk it comes, the last one holds."""

    def __init__(self, words: tuple[bytes, ...] | None = None) -> None:
        self.usage: Usage | None = None
        self.usage_final = False
        self.finish: Finish | None = None
        self.content_chars = 0
        self._words = CHAT_WORDS if words is None else words

    def feed(self, event: bytes) -> int:
        """Look at one whole event; returns the bits of ``Mark``."""
        chars = words_chars(event, self._words)
        self.content_chars += chars
        mark = 1 if chars or CALL.search(event) else 0  # Mark.CONTENT, without the enum
        for name in RARE:
            if name in event and _has_value(event, name):
                return mark | self._read(event)
        if not mark and DONE in event and sse.data(event).startswith(DONE):
            return int(Mark.END)
        return mark

    def _read(self, event: bytes) -> int:
        try:
            chunk = CHUNK.decode(sse.data(event))
        except UNREADABLE:
            return 0
        if bytes(chunk.error) not in FALSY:
            return int(Mark.ERROR)
        mark = 0
        choices = chunk.choices or []
        for choice in choices:
            if choice.finish_reason:
                self.finish = finish_of(choice.finish_reason)
                mark |= Mark.FINISH
        usage = usage_of(chunk.usage)
        for raw in (*(c.usage for c in choices), chunk.x_groq.usage if chunk.x_groq else NULL):
            usage = usage or usage_of(raw)
        if usage is not None:
            self.usage, self.usage_final = usage, True
            mark |= Mark.USAGE
        if not choices and (usage is not None or given(chunk.usage)):
            mark |= Mark.USAGE_ONLY  # also when it counts nothing: clients index choices[0]
        return int(mark)


def _has_value(event: bytes, name: bytes) -> bool:
    """Whether one of the members called *name*, quoted, is other than null."""
    nulls = event.count(name + b":null") + event.count(name + b": null")
    return event.count(name) != nulls


def words_chars(event: bytes, words: tuple[bytes, ...]) -> int:
    """Characters of the first string that is not empty and begins as one of *words* does."""
    for opening in words:
        at = event.find(opening)
        if at >= 0 and (chars := _string_chars(event, at + len(opening))):
            return chars
    return 0


def _string_chars(event: bytes, start: int) -> int:
    """Characters of the JSON string whose first byte is at *start*, escapes counted roughly."""
    found = STRING_REST.match(event, start)
    if found is None:
        return 0
    words = found.group()
    if words.isascii():
        return len(words) - 5 * words.count(b"\\u") if b"\\" in words else len(words)
    return len(words.decode("utf-8", "replace"))
