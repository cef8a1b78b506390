"""Streams of POST /chat/completions: read chunks, write chunks."""

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
from gateway.wire.decode import NULL, UNREADABLE
from gateway.wire.dialect import MALFORMED, UNFINISHED
from gateway.wire.openai_answer import Content, finish_of, words_of
from gateway.wire.openai_errors import problem_of, stream_error
from gateway.wire.openai_usage import counts_of, usage_of
from gateway.wire.openai_watch import DONE, FALSY, Groq


class Function(msgspec.Struct):
    """Part of a called function."""

    name: str | None = None
    arguments: str | None = None


class CallDelta(msgspec.Struct):
    """Part of a tool call; Gemini's imitation leaves *index* out."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    """More of one answer. Reasoning goes by either name."""

    content: Content = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[CallDelta] | None = None


class Choice(msgspec.Struct):
    """One of the n answers."""

    delta: Delta | None = None
    index: int = 0
    finish_reason: str | None = None
    usage: msgspec.Raw = NULL


class Chunk(msgspec.Struct):
    """One event."""

    choices: list[Choice] | None = None
    id: str | None = None
    model: str | None = None
    usage: msgspec.Raw = NULL
    x_groq: Groq | None = None
    error: msgspec.Raw = NULL


CHUNK = msgspec.json.Decoder(Chunk)


class OpenAIStreamReader:
    """Chunks to canonical events; of n choices the first."""

    def __init__(self) -> None:
        self._started = False
        self._calls: dict[int, tuple[int, str]] = {}  # upstream's index: ours, id of the call
        self._calls_seen = 0

    def read(self, event: bytes) -> list[StreamEvent]:
        """The canonical events of one whole event; a malformed one reads as Failed."""
        payload = sse.data(event)
        if not payload:
            return []
        if payload.startswith(DONE):
            return [Ended()]
        try:
            chunk = CHUNK.decode(payload)
        except UNREADABLE:
            return [Failed(MALFORMED, "malformed_event")]
        if bytes(chunk.error) not in FALSY:
            problem = problem_of(chunk.error, "The provider reported an error without a message.")
            return [Failed(problem.message, problem.kind or "api_error")]
        return self._chunk(chunk)

    def _chunk(self, chunk: Chunk) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        choices = [choice for choice in chunk.choices or () if choice.index == 0]
        if not self._started and choices:
            self._started = True
            events.append(Started(chunk.id or "", chunk.model or ""))
        usage = usage_of(chunk.usage) or usage_of(chunk.x_groq.usage if chunk.x_groq else NULL)
        for choice in choices:
            if choice.delta is not None:
                events += self._delta(choice.delta)
            usage = usage or usage_of(choice.usage)
            if choice.finish_reason:
                events.append(Finished(finish_of(choice.finish_reason)))
        if usage is not None:
            events.append(Finished(usage=usage))
        return events

    def _delta(self, delta: Delta) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        if reasoning := delta.reasoning_content or delta.reasoning:
            events.append(ThinkingDelta(reasoning))
        events += [TextDelta(text) for text in (words_of(delta.content), delta.refusal) if text]
        for call in delta.tool_calls or ():
            events += self._call(call)
        return events

    def _call(self, call: CallDelta) -> list[StreamEvent]:
        """
        A fragment begins a call when its index is new, or when its id is: some providers give all
        parallel calls the index 0, or none.
        """
        events: list[StreamEvent] = []
        function = call.function or Function()
        key = call.index or 0
        index, call_id = self._calls.get(key, (-1, ""))
        if index < 0 or (call.id and call.id != call_id):
            index, call_id = self._calls_seen, call.id or f"call_{self._calls_seen}"
            self._calls_seen += 1
            self._calls[key] = (index, call_id)
            events.append(ToolStarted(index, call_id, function.name or ""))
        if function.arguments:
            events.append(ToolDelta(index, function.arguments))
        return events


class OpenAIStreamWriter:
    """
    Canonical events to chunks.

    The finish reason and usage are held back until the upstream has ended: usage may come after
    the reason, and a stream that breaks between the two has not ended cleanly.
    """

    def __init__(self, answer_id: str, model: str, *, created_s: int, include_usage: bool) -> None:
        self._head = {
            "id": answer_id,
            "object": "chat.completion.chunk",
            "created": created_s,
            "model": model,
        }
        self._include_usage = include_usage
        self._finish: Finish | None = None
        self._usage = Usage()
        self._closed = False

    def write(self, event: StreamEvent) -> bytes:
        """Zero or more whole events; see ``StreamWriter``."""
        if self._closed:
            return b""
        match event:
            case Started():
                return self._delta({"role": "assistant", "content": "", "refusal": None})
            case TextDelta(text=text):
                return self._delta({"content": text})
            case ThinkingDelta(text=text):
                return self._delta({"reasoning_content": text}) if text else b""
            case ToolStarted(index=index, id=call_id, name=name):
                function = {"name": name, "arguments": ""}
                call = {"index": index, "id": call_id, "type": "function", "function": function}
                return self._delta({"tool_calls": [call]})
            case ToolDelta(index=index, arguments=arguments):
                fragment = {"index": index, "function": {"arguments": arguments}}
                return self._delta({"tool_calls": [fragment]})
            case Finished(finish=finish, usage=usage):
                self._finish = finish or self._finish
                self._usage = usage or self._usage
                return b""
            case Ended():
                return self._end()
            case Failed(message=message):
                return self._fail(message)

    def _delta(self, delta: dict[str, object], finish: Finish | None = None) -> bytes:
        reason = finish.value if finish else None
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        chunk: dict[str, object] = {**self._head, "choices": [choice]}
        if self._include_usage:
            chunk["usage"] = None
        return sse.event_of(msgspec.json.encode(chunk))

    def _end(self) -> bytes:
        if self._finish is None:
            return self._fail(UNFINISHED)
        self._closed = True
        end = self._delta({}, self._finish)
        if self._include_usage:
            chunk = {**self._head, "choices": [], "usage": counts_of(self._usage)}
            end += sse.event_of(msgspec.json.encode(chunk))
        return end + sse.event_of(DONE)

    def _fail(self, message: str) -> bytes:
        self._closed = True
        return stream_error(UpstreamError(message), str(self._head["id"]))
