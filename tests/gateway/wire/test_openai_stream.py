"""Tests of gateway.wire.openai_stream, and of streams translated to it."""

from __future__ import annotations

import json

import pytest

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
from gateway.wire import sse
from gateway.wire.anthropic_stream_reader import AnthropicStreamReader
from gateway.wire.dialect import UNFINISHED, Mark
from gateway.wire.openai_stream import OpenAIStreamReader, OpenAIStreamWriter
from gateway.wire.openai_watch import OpenAIWatch
from tests.gateway.wire import golden


def chunk(delta: dict[str, object] | None = None, **members: object) -> bytes:
    """One event with one choice."""
    body = {"id": "a", "model": "m", "choices": [{"index": 0, "delta": delta or {}}]}
    return sse.event_of(json.dumps(body | members).encode())


def read(*events: bytes) -> list[StreamEvent]:
    """The canonical events of a stream."""
    reader = OpenAIStreamReader()
    return [made for event in events for made in reader.read(event)]


def written(*events: StreamEvent, include_usage: bool = True) -> bytes:
    """The stream that a writer makes of canonical events."""
    writer = OpenAIStreamWriter("a", "m", created_s=17, include_usage=include_usage)
    return b"".join(writer.write(event) for event in events)


def translated(name: str, *, include_usage: bool = True) -> bytes:
    """A golden stream of the other dialect as one of this."""
    reader = AnthropicStreamReader()
    events = [made for event in golden.events(name) for made in reader.read(event)]
    return written(*events, include_usage=include_usage)


def payloads(stream: bytes) -> list[dict[str, object]]:
    """The JSON of every event but the last, which must be [DONE]."""
    events = [sse.data(event) for event in sse.Splitter(1 << 20).feed(stream)]
    assert events[-1] == b"[DONE]"
    return [json.loads(event) for event in events[:-1]]


def test_read_text() -> None:
    """Words, finish reason, usage and end come in order."""
    assert read(*golden.events("openai_text.sse")) == [
        Started("chatcmpl-golden1", "gpt-4o-mini"),
        TextDelta("Grüße, "),
        TextDelta('say "usage": {"prompt_tokens": 7} and "[DONE]" – 好'),
        Finished(Finish.STOP),
        Finished(usage=Usage(21, 9, 16)),
        Ended(),
    ]


def test_read_tools() -> None:
    """Fragments go to the call that their index names."""
    assert read(*golden.events("openai_tools.sse"))[1:-1] == [
        ToolStarted(0, "call_rain", "weather"),
        ToolDelta(0, '{"city":'),
        ToolDelta(0, '"Kiel"}'),
        ToolStarted(1, "functions.clock:1", "clock"),
        ToolDelta(1, "{}"),
        Finished(Finish.TOOL_CALLS),
        Finished(usage=Usage(55, 24)),
    ]


def test_read_groq() -> None:
    """Reasoning by its other name, and usage in Groq's own member."""
    assert read(*golden.events("groq_text.sse"))[1:] == [
        ThinkingDelta("Count."),
        TextDelta("Three."),
        Finished(Finish.LENGTH),
        Finished(usage=Usage(14, 6)),
        Ended(),
    ]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (  # all parallel calls have the index 0
            [
                {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}},
                {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}},
            ],
            [
                ToolStarted(0, "a", "f"),
                ToolDelta(0, "{}"),
                ToolStarted(1, "b", "g"),
                ToolDelta(1, "{}"),
            ],
        ),
        (  # no index, no id
            [{"function": {"name": "f", "arguments": "{"}}, {"function": {"arguments": "}"}}],
            [ToolStarted(0, "call_0", "f"), ToolDelta(0, "{"), ToolDelta(0, "}")],
        ),
        (  # the id is said again in every fragment
            [
                {"index": 1, "id": "a", "function": {"name": "f", "arguments": "{"}},
                {"index": 1, "id": "a", "function": {"arguments": "}"}},
            ],
            [ToolStarted(0, "a", "f"), ToolDelta(0, "{"), ToolDelta(0, "}")],
        ),
    ],
)
def test_read_calls_of_imitators(
    calls: list[dict[str, object]], expected: list[StreamEvent]
) -> None:
    """A fragment begins a call when its index is new, or when its id is."""
    assert read(*(chunk({"tool_calls": [call]}) for call in calls))[1:] == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (b": keep-alive\n\n", []),
        (b"data: [DONE]\n\n", [Ended()]),
        (b"data: [DONE] \n\n", [Ended()]),
        (b"data: {\n\n", [Failed("The provider sent a malformed event.", "malformed_event")]),
        (b"data: \xff\n\n", [Failed("The provider sent a malformed event.", "malformed_event")]),
        (b'data: {"error":"Broken"}\n\n', [Failed("Broken")]),
        (
            b'data: {"error":{"message":"Busy","type":"server_error"}}\n\n',
            [Failed("Busy", "server_error")],
        ),
        (b'data: {"error":{},"choices":[]}\n\n', []),
        (b'data: {"choices":[{"index":1,"delta":{"content":"second"}}]}\n\n', []),
        (b'data: {"choices":null}\n\n', []),
    ],
)
def test_read_events(event: bytes, expected: list[StreamEvent]) -> None:
    """Comments, ends, errors and other choices read as what they are."""
    assert read(event) == expected


def test_write_an_answer() -> None:
    """Role first, then words; reason, usage and [DONE] only when the upstream has ended."""
    first, words, reason, usage = payloads(
        written(
            Started("x", "y"),
            TextDelta("Hi"),
            Finished(Finish.STOP),
            Finished(usage=Usage(3, 1)),
            Ended(),
        )
    )

    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert (first["id"], first["model"], first["created"], first["usage"]) == ("a", "m", 17, None)
    assert words["choices"][0] == {
        "index": 0,
        "delta": {"content": "Hi"},
        "logprobs": None,
        "finish_reason": None,
    }
    assert reason["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 4)


def test_write_without_usage() -> None:
    """A client that did not ask for usage sees none, and no chunk without choices."""
    stream = written(
        Started("x", "y"), Finished(Finish.STOP, Usage(3, 1)), Ended(), include_usage=False
    )

    assert all(chunk["choices"] and "usage" not in chunk for chunk in payloads(stream))


@pytest.mark.parametrize("name", golden.ANTHROPIC_CLEAN)
def test_translate_a_stream(name: str) -> None:
    """A clean stream of the other dialect is a clean stream here, with the same usage."""
    watch = OpenAIWatch()
    reader = AnthropicStreamReader()
    source = [made for event in golden.events(name) for made in reader.read(event)]

    for event in sse.Splitter(1 << 20).feed(translated(name)):
        mark = watch.feed(event)

    assert mark == Mark.END
    assert watch.usage == [e.usage for e in source if isinstance(e, Finished)][-1]
    assert watch.finish == [e.finish for e in source if isinstance(e, Finished)][-1]


def test_translate_tools_and_thinking() -> None:
    """Reasoning, words and parallel calls arrive; a call without input gets empty JSON."""
    deltas = [c["choices"][0]["delta"] for c in payloads(translated("anthropic_tools.sse"))[:-1]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]

    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Rain, so ask."
    assert "".join(delta.get("content", "") for delta in deltas) == "Let me look."
    assert [(c["index"], c["id"]) for c in calls if "id" in c] == [
        (0, "toolu_rain"),
        (1, "toolu_clock"),
    ]
    assert (
        "".join(c["function"]["arguments"] for c in calls if c["index"] == 0) == '{"city": "Kiel"}'
    )
    assert "".join(c["function"]["arguments"] for c in calls if c["index"] == 1) == "{}"


def test_translate_an_error() -> None:
    """An error inside the stream ends it as an error, without [DONE]."""
    events = sse.Splitter(1 << 20).feed(translated("anthropic_error.sse"))

    assert json.loads(sse.data(events[-1]))["error"]["message"] == "Overloaded"
    assert b"[DONE]" not in b"".join(events)


@pytest.mark.parametrize(
    "events", [[], [Started("x", "y"), TextDelta("Hi"), Finished(usage=Usage(1, 1))]]
)
def test_write_never_ends_without_a_reason(events: list[StreamEvent]) -> None:
    """Ended without a finish reason is an error, and nothing follows an error."""
    stream = written(*events, Ended(), TextDelta("more"), Ended())

    last = sse.Splitter(1 << 20).feed(stream)[-1]
    assert json.loads(sse.data(last))["error"]["message"] == UNFINISHED
    assert b"[DONE]" not in stream
    assert b"more" not in stream


def test_write_of_a_cut_stream_has_no_end() -> None:
    """A stream that breaks off before its end, even behind the finish reason, shows neither."""
    stream = written(Started("x", "y"), TextDelta("Hi"), Finished(Finish.STOP, Usage(1, 1)))

    assert b"[DONE]" not in stream
    assert b'"finish_reason":"stop"' not in stream
