"""Tests of gateway.wire.anthropic_stream_reader."""

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
from tests.gateway.wire import golden


def read(*events: bytes) -> list[StreamEvent]:
    """The canonical events of a stream."""
    reader = AnthropicStreamReader()
    return [made for event in events for made in reader.read(event)]


def event(kind: str, **members: object) -> bytes:
    """One event of the dialect."""
    return sse.event_of(json.dumps({"type": kind, **members}).encode(), kind)


def test_read_text() -> None:
    """Usage of the input comes first, with both cache parts; the counts at the end are added."""
    assert read(*golden.events("anthropic_text.sse")) == [
        Started("msg_golden1", "claude-sonnet-4-5", Usage(2105, 1, 2000, 100)),
        TextDelta("Grüße, "),
        TextDelta('say "stop_reason": "end_turn" – 好'),
        Finished(Finish.STOP, Usage(2105, 12, 2000, 100), "###"),
        Ended(),
    ]


def test_read_tools_and_thinking() -> None:
    """Calls are numbered among themselves; one without input gets empty JSON when it closes."""
    assert read(*golden.events("anthropic_tools.sse"))[1:] == [
        ThinkingDelta("Rain, so ask."),
        ThinkingDelta(signature="c2lnbmVk"),
        TextDelta("Let me look."),
        ToolStarted(0, "toolu_rain", "weather"),
        ToolDelta(0, '{"city":'),
        ToolDelta(0, ' "Kiel"}'),
        ToolStarted(1, "toolu_clock", "clock"),
        ToolDelta(1, "{}"),
        Finished(Finish.TOOL_CALLS, Usage(400, 88, 60, 0, 30)),
        Ended(),
    ]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (event("ping"), []),
        (event("newest_kind", delta={"type": "text_delta"}), []),
        (b": keep-alive\n\n", []),
        (event("content_block_delta", index=0, delta={"type": "citations_delta"}), []),
        (event("content_block_stop", index=5), []),
        (
            event("content_block_start", index=0, content_block={"type": "text", "text": "A"}),
            [TextDelta("A")],
        ),
        (
            event(
                "content_block_start", index=0, content_block={"type": "thinking", "thinking": "R"}
            ),
            [ThinkingDelta("R")],
        ),
        (
            event(
                "content_block_start",
                index=0,
                content_block={"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            ),
            [ToolStarted(0, "t", "f"), ToolDelta(0, '{"a": 1}')],
        ),
        (event("message_start"), [Started("", "")]),
        (event("message_delta", delta={"stop_reason": None}), [Finished()]),
        (event("message_stop"), [Ended()]),
        (
            event("error", error={"type": "overloaded_error", "message": "Busy"}),
            [Failed("Busy", "overloaded_error")],
        ),
        (event("error"), [Failed("The provider reported an error.")]),
        (b"data: {\n\n", [Failed("The provider sent a malformed event.", "malformed_event")]),
        (
            event("message_start", message=5),
            [Failed("The provider sent a malformed event.", "malformed_event")],
        ),
    ],
)
def test_read_events(sent: bytes, expected: list[StreamEvent]) -> None:
    """Every event reads as what it is; unknown ones as nothing."""
    assert read(sent) == expected


def test_read_skips_tools_of_the_provider() -> None:
    """The input of a tool that runs at the provider is no call of the client's."""
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"query":"x"}'}

    assert (
        read(
            event("content_block_start", index=0, content_block=block),
            event("content_block_delta", index=0, delta=delta),
            event("content_block_stop", index=0),
        )
        == []
    )
