"""Tests of gateway.wire.anthropic_watch."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import Finish, Usage
from gateway.wire import sse
from gateway.wire.anthropic_watch import AnthropicWatch
from gateway.wire.dialect import Mark
from tests.gateway.wire import golden


def watched(*events: bytes) -> tuple[AnthropicWatch, list[Mark]]:
    """A watch that has seen *events*, and its marks."""
    watch = AnthropicWatch()
    return watch, [Mark(watch.feed(event)) for event in events]


def event(kind: str, **members: object) -> bytes:
    """One event of the dialect, written compactly."""
    body = json.dumps({"type": kind, **members}, separators=(",", ":"), ensure_ascii=False)
    return sse.event_of(body.encode(), kind)


@pytest.mark.parametrize(
    ("name", "finish", "usage"),
    [
        ("anthropic_text.sse", Finish.STOP, Usage(2105, 12, 2000, 100)),
        ("anthropic_tools.sse", Finish.TOOL_CALLS, Usage(400, 88, 60, 0, 30)),
    ],
)
def test_watch_clean_streams(name: str, finish: Finish, usage: Usage) -> None:
    """Finish and cumulative usage are known at the end of a clean stream, and not before."""
    events = golden.events(name)
    watch, marks = watched(*events[:-1])
    assert not any(mark & Mark.END for mark in marks)

    assert watch.feed(events[-1]) == Mark.END
    assert (watch.finish, watch.usage, watch.usage_final) == (finish, usage, True)


def test_watch_knows_the_input_first() -> None:
    """Usage at the start is of the input, and says so."""
    watch, marks = watched(golden.events("anthropic_text.sse")[0])

    assert marks == [Mark.USAGE]
    assert (watch.usage, watch.usage_final) == (Usage(2105, 1, 2000, 100), False)


@pytest.mark.parametrize(
    ("name", "error"), [("anthropic_error.sse", True), ("anthropic_cut.sse", False)]
)
def test_watch_broken_streams(name: str, error: bool) -> None:
    """A stream that fails has an error, one that breaks off no finish, whatever follows."""
    watch, marks = watched(*golden.events(name), event("message_stop"))

    assert any(mark & Mark.ERROR for mark in marks) is error
    assert error or watch.finish is None


@pytest.mark.parametrize(
    ("sent", "mark"),
    [
        (event("ping"), Mark.NONE),
        (b": keep-alive\n\n", Mark.NONE),
        (event("content_block_start", content_block={"type": "text", "text": ""}), Mark.NONE),
        (event("content_block_start", content_block={"type": "tool_use"}), Mark.CONTENT),
        (event("content_block_delta", delta={"type": "text_delta", "text": "A"}), Mark.CONTENT),
        (
            event("content_block_delta", delta={"type": "thinking_delta", "thinking": "A"}),
            Mark.CONTENT,
        ),
        (
            event("content_block_delta", delta={"type": "input_json_delta", "partial_json": "{"}),
            Mark.CONTENT,
        ),
        (
            event("content_block_delta", delta={"type": "input_json_delta", "partial_json": ""}),
            Mark.NONE,
        ),
        (
            event("content_block_delta", delta={"type": "signature_delta", "signature": "s"}),
            Mark.NONE,
        ),
        (
            b'data: {"delta": {"text": "A"}}\r\nevent: content_block_delta\r\n\r\n',
            Mark.CONTENT,
        ),
        (event("message_delta", delta={"stop_reason": "end_turn"}), Mark.FINISH),
        (event("message_delta", delta={}, usage={"output_tokens": 3}), Mark.USAGE),
        (event("error", error={"message": "Busy"}), Mark.ERROR),
        (event("error"), Mark.ERROR),
        (b"event: message_delta\ndata: {\n\n", Mark.NONE),
        (event("message_stop"), Mark.END),
    ],
)
def test_marks(sent: bytes, mark: Mark) -> None:
    """Every event carries what it carries."""
    assert watched(sent)[1] == [mark]


def test_watch_is_not_fooled_by_words() -> None:
    """Words of the answer that look like events are content and nothing else."""
    words = 'event: message_stop\n"stop_reason":"end_turn","usage":{"output_tokens":1}'
    watch, marks = watched(
        event("content_block_delta", delta={"type": "text_delta", "text": words})
    )

    assert marks == [Mark.CONTENT]
    assert (watch.usage, watch.finish) == (None, None)


def test_usage_that_counts_nothing_is_none() -> None:
    """Zeros are no report: an estimate must take their place."""
    watch, _ = watched(event("message_delta", delta={}, usage={"output_tokens": 0}))

    assert (watch.usage, watch.usage_final) == (None, False)
