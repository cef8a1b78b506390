"""Read the stream of POST /v1/messages."""

from __future__ import annotations

import msgspec

from gateway.core.chat import (
    Ended,
    Failed,
    Finished,
    Started,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    Usage,
)
from gateway.wire import sse
from gateway.wire.anthropic_answer import Block, finish_of
from gateway.wire.anthropic_usage import Counts, merged, read_counts, usage_of
from gateway.wire.decode import NULL, UNREADABLE, given
from gateway.wire.dialect import MALFORMED
from gateway.wire.openai_errors import problem_of

NO_INPUT = (b"null", b"{}")


class Message(msgspec.Struct):
    """The message that begins."""

    id: str = ""
    model: str = ""
    usage: msgspec.Raw = NULL


class Delta(msgspec.Struct):
    """More of a block, or the end of the message."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str | None = None
    partial_json: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None


class Event(msgspec.Struct):
    """One event, whatever its type."""

    type: str = ""
    index: int = 0
    message: Message | None = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


EVENT = msgspec.json.Decoder(Event)


class AnthropicStreamReader:
    """Events to canonical events, less the blocks of tools that run at the provider."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._calls_seen = 0
        self._calls: dict[int, int] = {}  # index of an open tool_use block: ours
        self._silent: set[int] = set()  # of those, blocks without any input so far

    def read(self, event: bytes) -> list[StreamEvent]:
        """The canonical events of one whole event; a malformed one reads as Failed."""
        payload = sse.data(event)
        if not payload:
            return []
        try:
            said = EVENT.decode(payload)
        except UNREADABLE:
            return [Failed(MALFORMED, "malformed_event")]
        match said.type:
            case "message_start":
                return self._start(said.message or Message())
            case "content_block_start" if said.content_block is not None:
                return self._open(said.index, said.content_block)
            case "content_block_delta" if said.delta is not None:
                return self._delta(said.index, said.delta)
            case "content_block_stop":
                return self._close(said.index)
            case "message_delta":
                return self._finish(said)
            case "message_stop":
                return [Ended()]
            case "error":
                problem = problem_of(said.error, "The provider reported an error.")
                return [Failed(problem.message, problem.kind or "api_error")]
        return []  # ping, and what is not documented yet

    def _start(self, message: Message) -> list[StreamEvent]:
        self._counts = read_counts(message.usage) or Counts()
        return [Started(message.id, message.model, usage_of(self._counts) or Usage())]

    def _open(self, index: int, block: Block) -> list[StreamEvent]:
        if block.type == "tool_use":
            call, self._calls_seen = self._calls_seen, self._calls_seen + 1
            self._calls[index] = call
            events: list[StreamEvent] = [ToolStarted(call, block.id, block.name)]
            if bytes(block.input) in NO_INPUT:
                self._silent.add(index)
            else:
                events.append(ToolDelta(call, bytes(block.input).decode("utf-8", "replace")))
            return events
        if block.type == "text" and block.text:
            return [TextDelta(block.text)]
        if block.type == "thinking" and block.thinking:
            return [ThinkingDelta(block.thinking)]
        return []

    def _delta(self, index: int, delta: Delta) -> list[StreamEvent]:
        match delta.type:
            case "text_delta" if delta.text:
                return [TextDelta(delta.text)]
            case "thinking_delta" if delta.thinking:
                return [ThinkingDelta(delta.thinking)]
            case "signature_delta":
                return [ThinkingDelta(signature=delta.signature)]
            case "input_json_delta" if delta.partial_json and index in self._calls:
                self._silent.discard(index)
                return [ToolDelta(self._calls[index], delta.partial_json)]
        return []

    def _close(self, index: int) -> list[StreamEvent]:
        """A call without input has empty JSON here, which other clients could not parse."""
        call = self._calls.pop(index, None)
        if call is None or index not in self._silent:
            return []
        self._silent.discard(index)
        return [ToolDelta(call, "{}")]

    def _finish(self, said: Event) -> list[StreamEvent]:
        delta = said.delta or Delta()
        usage = None
        if given(said.usage):
            self._counts = merged(self._counts, read_counts(said.usage) or Counts())
            usage = usage_of(self._counts)
        finish = finish_of(delta.stop_reason) if delta.stop_reason else None
        return [Finished(finish, usage, delta.stop_sequence)]
