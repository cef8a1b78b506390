"""
Watch a stream of POST /v1/messages that is passed through.

The name of the event says what it is; only the first and the last few are decoded.
"""

from __future__ import annotations

import msgspec

from gateway.core.chat import Finish, Usage
from gateway.wire import sse
from gateway.wire.anthropic_answer import finish_of
from gateway.wire.anthropic_usage import Counts, merged, read_counts, usage_of
from gateway.wire.decode import NULL, UNREADABLE
from gateway.wire.dialect import Mark
from gateway.wire.openai_watch import openings, words_chars

WORDS = openings((b"text", b"partial_json", b"thinking"))
DELTA = b"event: content_block_delta\n"


class Message(msgspec.Struct):
    """What ``message_start`` says of the message."""

    usage: msgspec.Raw = NULL


class Delta(msgspec.Struct):
    """What ``message_delta`` says of the message."""

    stop_reason: str | None = None


class Event(msgspec.Struct):
    """The members of the events that are decoded."""

    message: Message | None = None
    delta: Delta | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


EVENT = msgspec.json.Decoder(Event)


class AnthropicWatch:
    """See ``Watch``. Counts are cumulative and merged over the events."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.usage_final = False
        self.finish: Finish | None = None
        self.content_chars = 0
        self._counts = Counts()

    def feed(self, event: bytes) -> int:
        """Look at one whole event; returns the bits of ``Mark``."""
        if event.startswith(DELTA):
            return self._delta(event)
        match sse.name(event):
            case "content_block_delta":
                return self._delta(event)
            case "content_block_start":
                return int(Mark.CONTENT if b'tool_use"' in event else Mark.NONE)
            case "message_start" | "message_delta" | "error":
                return int(self._read(event))
            case "message_stop":
                return int(Mark.END)
        return 0

    def _delta(self, event: bytes) -> int:
        chars = words_chars(event, WORDS)
        self.content_chars += chars
        return 1 if chars else 0  # Mark.CONTENT, without the enum

    def _read(self, event: bytes) -> Mark:
        try:
            said = EVENT.decode(sse.data(event))
        except UNREADABLE:
            said = Event()
        if sse.name(event) == "error":
            return Mark.ERROR
        mark = Mark.NONE
        if said.delta is not None and said.delta.stop_reason:
            self.finish = finish_of(said.delta.stop_reason)
            mark |= Mark.FINISH
        counts = read_counts(said.usage if said.message is None else said.message.usage)
        if counts is not None:
            self._counts = merged(self._counts, counts)
            self.usage = usage_of(self._counts)
            self.usage_final = said.message is None and self.usage is not None
            mark |= Mark.USAGE
        return mark
