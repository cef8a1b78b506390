"""
Put the values that were taken out of a request back into its answer.

Reasoning is left as the model wrote it: what a signature is bound to must come back unchanged, and
no text of that kind is redacted when it does. A placeholder that the model changed is left alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left

import msgspec

from gateway.core.chat import (
    Answer,
    Finished,
    Part,
    Started,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolDelta,
)
from gateway.scan.placeholders import PLACEHOLDER, Placeholders

WORDS = -1  # channel of the text; a tool call's channel is its index
BRACKETS_MAX = 12  # of a placeholder in JSON, where both may be written as \\u003c and \\u003e

# In JSON. The pair of backslashes comes first: what follows it is no escape.
_IN_JSON = re.compile(r"\\\\|(?:<|\\u003[cC])([A-Z0-9_]+)(?:>|\\u003[eE])")
# The end of a delta that may be the beginning of a placeholder, and how far its closing got.
_OPEN = re.compile(r"<([A-Z0-9_]*)()\Z")
_OPEN_IN_JSON = re.compile(
    r"(?:<|\\u003[cC])([A-Z0-9_]*)(\\(?:u(?:0(?:03?)?)?)?)?\Z|\\(?:u(?:0(?:03?)?)?)?\Z"
)


class Restorer:
    """
    For one answer, whole or streamed; not both, and in one task. *event* holds back the end of a
    delta while it may be the beginning of a placeholder of this request, and no longer.
    """

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._names = placeholders.names()
        self._reach = BRACKETS_MAX + max(map(len, self._names), default=0)
        self._channel = WORDS
        self._held = ""

    def whole(self, answer: Answer) -> Answer:
        """*answer* with the values in its text and in the arguments of its tool calls."""
        choices = tuple(tuple(map(self._part, parts)) for parts in answer.choices)
        return msgspec.structs.replace(answer, choices=choices)

    def event(self, event: StreamEvent) -> list[StreamEvent]:
        """What may be sent on now that *event* has come, in order; perhaps nothing."""
        match event:
            case TextDelta(text=text):
                return self._more(WORDS, text, event)
            case ToolDelta(index=index, arguments=arguments):
                return self._more(index, arguments, event)
            case Started() | Finished(finish=None):  # usage on the way ends nothing
                return [event]
        return [*self._flush(), event]

    def in_text(self, text: str) -> str:
        """*text* with the values."""
        return PLACEHOLDER.sub(lambda match: self._value(match[0]) or match[0], text)

    def in_json(self, text: str) -> str:
        """*text*, JSON or a piece of it that begins outside an escape, with the values."""
        return _IN_JSON.sub(self._in_string, text)

    def _part(self, part: Part) -> Part:
        match part:
            case Text(text=text):
                return msgspec.structs.replace(part, text=self.in_text(text))
            case ToolCall(arguments=arguments):
                return msgspec.structs.replace(part, arguments=self.in_json(arguments))
        return part

    def _more(self, channel: int, text: str, event: StreamEvent) -> list[StreamEvent]:
        before = self._flush() if channel != self._channel else []
        self._channel = channel
        if not self._held and "<" not in text and "\\" not in text:
            return [*before, event]
        text = self._held + text
        ready = self._beginning(text)
        self._held = text[ready:]
        return [*before, *self._delta(text[:ready])]

    def _flush(self) -> list[StreamEvent]:
        held, self._held = self._held, ""
        return self._delta(held)

    def _delta(self, text: str) -> list[StreamEvent]:
        if not text:
            return []
        if self._channel == WORDS:
            return [TextDelta(self.in_text(text))]
        return [ToolDelta(self._channel, self.in_json(text))]

    def _beginning(self, text: str) -> int:
        """Where at the end of *text* a placeholder may begin; its length when none does."""
        pattern = _OPEN if self._channel == WORDS else _OPEN_IN_JSON
        begun = pattern.search(text, max(0, len(text) - self._reach))
        while begun is not None:
            may_be = self._may_be(begun[1] or "", closing=bool(begun[2]))
            if may_be and not _is_escaped(text, begun.start()):
                return begun.start()
            begun = pattern.search(text, begun.start() + 1)
        return len(text)

    def _may_be(self, name: str, *, closing: bool) -> bool:
        """Whether a name of ours begins with *name*, or is it where its bracket is *closing*."""
        row = bisect_left(self._names, name)
        if row == len(self._names):
            return False
        return self._names[row] == name if closing else self._names[row].startswith(name)

    def _in_string(self, match: re.Match[str]) -> str:
        value = self._value(f"<{match[1]}>") if match[1] else None
        return match[0] if value is None else msgspec.json.encode(value).decode()[1:-1]

    def _value(self, placeholder: str) -> str | None:
        return self._placeholders.value(placeholder)


def _is_escaped(text: str, at: int) -> bool:
    """Whether the backslash at *at* is the second of a pair; no other character is ever meant."""
    if text[at] != "\\":
        return False
    before = text[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
