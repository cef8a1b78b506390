"""Write the stream of POST /v1/messages."""

from __future__ import annotations

import msgspec

from gateway.core.chat import (
    Ended,
    Failed,
    Finish,
    Finished,
    Started,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    Usage,
)
from gateway.core.errors import UpstreamError
from gateway.wire import sse
from gateway.wire.anthropic_answer import reason_of
from gateway.wire.anthropic_errors import stream_error
from gateway.wire.anthropic_usage import counts_of
from gateway.wire.anthropic_write import call_id_of
from gateway.wire.dialect import UNFINISHED

Json = dict[str, object]

# The open block is of words or a thought; otherwise it is the call of that index.
TEXT = "text"
THOUGHT = "thinking"


class AnthropicStreamWriter:
    """
    Canonical events to events of this dialect: one block is open at a time, in order.

    Reasoning is left out, as in ``write_answer``, unless it comes at once with its signature. The
    stop reason and usage are held back until the upstream has ended, as in ``OpenAIStreamWriter``.
    """

    def __init__(
        self,
        answer_id: str,
        model: str,
        *,
        created_s: int = 0,  # this dialect tells no time
        include_usage: bool = True,  # and always reports usage
    ) -> None:
        self._id = answer_id
        self._model = model
        self._block = -1  # index of the newest block
        self._open: str | int | None = None
        self._called = False
        self._finished = Finished()
        self._usage = Usage()
        self._closed = False

    def write(self, event: StreamEvent) -> bytes:
        """Zero or more whole events; see ``StreamWriter``."""
        if self._closed:
            return b""
        match event:
            case Started(usage=usage):
                return self._start(usage)
            case TextDelta(text=text):
                return self._text(text)
            case ThinkingDelta(text=text, signature=signature):
                return self._thought(text, signature) if text and signature else b""
            case ToolStarted(index=index, id=call_id, name=name):
                self._called = True
                block: Json = {"type": "tool_use", "id": call_id_of(call_id), "name": name}
                return self._next(index, {**block, "input": {}})
            case ToolDelta(index=index, arguments=arguments):
                if index != self._open:
                    return self._fail("The provider mixed the fragments of two tool calls.")
                return self._delta({"type": "input_json_delta", "partial_json": arguments})
            case Finished():
                self._finished = Finished(
                    event.finish or self._finished.finish,
                    event.usage or self._finished.usage,
                    event.stop_sequence or self._finished.stop_sequence,
                )
                return b""
            case Ended():
                return self._end()
            case Failed(message=message):
                return self._fail(message)

    def _start(self, usage: Usage) -> bytes:
        self._usage = usage
        message: Json = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": counts_of(usage),
        }
        return _event("message_start", message=message)

    def _text(self, text: str) -> bytes:
        begin = b"" if self._open == TEXT else self._next(TEXT, {"type": "text", "text": ""})
        return begin + self._delta({"type": "text_delta", "text": text})

    def _thought(self, text: str, signature: str) -> bytes:
        begin = self._next(THOUGHT, {"type": "thinking", "thinking": "", "signature": ""})
        said = self._delta({"type": "thinking_delta", "thinking": text})
        return begin + said + self._delta({"type": "signature_delta", "signature": signature})

    def _next(self, kind: str | int, block: Json) -> bytes:
        """Close the open block and begin another."""
        stop = self._stop()
        self._block += 1
        self._open = kind
        return stop + _event("content_block_start", index=self._block, content_block=block)

    def _delta(self, delta: Json) -> bytes:
        return _event("content_block_delta", index=self._block, delta=delta)

    def _stop(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", index=self._block)

    def _end(self) -> bytes:
        finish: Finish | None = self._finished.finish
        if finish is None:
            return self._fail(UNFINISHED)
        self._closed = True
        stop_sequence = self._finished.stop_sequence
        reason = reason_of(finish, stop_sequence, called=self._called)
        delta = {"stop_reason": reason, "stop_sequence": stop_sequence}
        usage = counts_of(self._finished.usage or self._usage)
        end = _event("message_delta", delta=delta, usage=usage)
        return self._stop() + end + _event("message_stop")

    def _fail(self, message: str) -> bytes:
        self._closed = True
        return stream_error(UpstreamError(message), self._id)


def _event(kind: str, **members: object) -> bytes:
    return sse.event_of(msgspec.json.encode({"type": kind, **members}), kind)
