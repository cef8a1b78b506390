"""Tests of gateway.wire.anthropic_stream_writer, and of streams translated to it."""

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
from gateway.wire.anthropic_stream_writer import AnthropicStreamWriter
from gateway.wire.anthropic_watch import AnthropicWatch
from gateway.wire.dialect import UNFINISHED, Mark
from gateway.wire.openai_stream import OpenAIStreamReader
from tests.gateway.wire import golden


def written(*events: StreamEvent) -> list[bytes]:
    """The events that a writer makes of canonical events."""
    writer = AnthropicStreamWriter("msg_a", "m")
    return sse.Splitter(1 << 20).feed(b"".join(writer.write(event) for event in events))


def source(name: str) -> list[StreamEvent]:
    """The canonical events of a golden stream of the other dialect."""
    reader = OpenAIStreamReader()
    return [made for event in golden.events(name) for made in reader.read(event)]


def said(events: list[bytes]) -> list[dict[str, object]]:
    """The JSON of events, whose names must say the same as their types."""
    bodies = [json.loads(sse.data(event)) for event in events]
    assert [sse.name(event) for event in events] == [body["type"] for body in bodies]
    return bodies


@pytest.mark.parametrize("name", golden.OPENAI_CLEAN)
def test_translate_a_stream(name: str) -> None:
    """A clean stream of the other dialect is a clean stream here, with the same usage."""
    watch = AnthropicWatch()

    for event in written(*source(name)):
        mark = watch.feed(event)

    finished = [event for event in source(name) if isinstance(event, Finished)]
    assert mark == Mark.END
    assert watch.usage == [e.usage for e in finished if e.usage][-1]
    assert watch.finish == [e.finish for e in finished if e.finish][-1]


@pytest.mark.parametrize("name", golden.OPENAI_CLEAN)
def test_translated_streams_read_back(name: str) -> None:
    """What is written reads as the same words and calls, without reasoning and foreign ids."""
    reader = AnthropicStreamReader()
    back = [made for event in written(*source(name)) for made in reader.read(event)]
    kinds = (TextDelta, ToolStarted, ToolDelta)

    assert [e for e in back if isinstance(e, kinds)] == [
        ToolStarted(e.index, e.id.replace(".", "_").replace(":", "_"), e.name)
        if isinstance(e, ToolStarted)
        else e
        for e in source(name)
        if isinstance(e, kinds)
    ]


def test_translate_tools() -> None:
    """One block is open at a time, each is closed, and their indices count up."""
    bodies = said(written(*source("openai_tools.sse")))

    assert [(body["type"], body.get("index")) for body in bodies] == [
        ("message_start", None),
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert bodies[5]["content_block"] == {
        "type": "tool_use",
        "id": "functions_clock_1",  # other characters would be refused when it comes back
        "name": "clock",
        "input": {},
    }
    assert bodies[8]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}


def test_write_an_answer() -> None:
    """Words are one block whatever the reasoning between; the end says why and how much."""
    bodies = said(
        written(
            Started("x", "y", Usage(5)),
            ThinkingDelta("R"),
            TextDelta("A"),
            ThinkingDelta("R"),
            TextDelta("B"),
            Finished(Finish.STOP, Usage(10, 2, 4), "###"),
            Ended(),
        )
    )

    assert (bodies[0]["message"]["id"], bodies[0]["message"]["model"]) == ("msg_a", "m")
    assert bodies[0]["message"]["usage"]["input_tokens"] == 5
    assert [body["type"] for body in bodies[1:-2]] == [
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
    ]
    assert bodies[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "###"}
    assert (bodies[-2]["usage"]["input_tokens"], bodies[-2]["usage"]["output_tokens"]) == (6, 2)


def test_write_ends_a_call_with_tool_use() -> None:
    """A call that the provider ended with "stop" ends with tool_use here."""
    events = [Started("x", "y"), ToolStarted(0, "c", "f"), ToolDelta(0, "{}")]

    bodies = said(written(*events, Finished(Finish.STOP, Usage(1, 1)), Ended()))

    assert bodies[-2]["delta"]["stop_reason"] == "tool_use"


def test_write_refuses_mixed_calls() -> None:
    """Fragments of two open calls have no form here, so the stream fails instead of lying."""
    events = written(
        Started("x", "y"),
        ToolStarted(0, "a", "f"),
        ToolStarted(1, "b", "g"),
        ToolDelta(0, "{}"),
        ToolDelta(1, "{}"),
    )

    assert (
        said(events)[-1]["error"]["message"]
        == "The provider mixed the fragments of two tool calls."
    )


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([Ended()], UNFINISHED),
        ([Started("x", "y"), TextDelta("A"), Finished(usage=Usage(1, 1)), Ended()], UNFINISHED),
        ([Started("x", "y"), TextDelta("A"), Failed("Busy")], "Busy"),
    ],
)
def test_write_never_ends_cleanly_by_accident(events: list[StreamEvent], message: str) -> None:
    """Without a finish reason, or after an error, there is an error event and nothing more."""
    sent = written(*events, TextDelta("more"), Finished(Finish.STOP), Ended())

    assert said(sent)[-1]["error"]["message"] == message
    assert b"message_stop" not in b"".join(sent)
    assert b"more" not in b"".join(sent)


@pytest.mark.parametrize("name", ["openai_error.sse", "openai_cut.sse"])
def test_translate_a_broken_stream(name: str) -> None:
    """A stream that fails or breaks off never gets an end here."""
    assert b"message_stop" not in b"".join(written(*source(name)))
    assert b"message_delta" not in b"".join(written(*source(name)))
