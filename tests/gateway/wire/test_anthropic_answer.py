"""Tests of gateway.wire.anthropic_answer."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import Answer, Finish, Text, Thinking, ToolCall, Usage
from gateway.core.errors import UpstreamError
from gateway.wire.anthropic_answer import read_answer, write_answer


def answered(*content: dict[str, object], **members: object) -> Answer:
    """How a message with *content* reads."""
    body = {"id": "a", "model": "m", "content": content, "stop_reason": "end_turn"}
    return read_answer(json.dumps(body | members).encode())


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        ({"type": "text", "text": "A", "citations": None}, (Text("A"),)),
        (
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            (ToolCall("t", "f", '{"a": 1}'),),
        ),
        ({"type": "tool_use", "id": "t", "name": "f"}, (ToolCall("t", "f", "{}"),)),
        ({"type": "thinking", "thinking": "R", "signature": "s"}, (Thinking("R", "s"),)),
        ({"type": "redacted_thinking", "data": "d"}, (Thinking("d", redacted=True),)),
        ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, ()),
        ({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, ()),
    ],
)
def test_read_answer_parts(block: dict[str, object], parts: tuple[object, ...]) -> None:
    """Blocks read into parts, without those of tools that ran at the provider."""
    assert answered(block).choices == (parts,)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", Finish.STOP),
        ("stop_sequence", Finish.STOP),
        ("pause_turn", Finish.STOP),
        ("max_tokens", Finish.LENGTH),
        ("model_context_window_exceeded", Finish.LENGTH),
        ("tool_use", Finish.TOOL_CALLS),
        ("refusal", Finish.CONTENT_FILTER),
        ("newest", Finish.STOP),
        (None, Finish.STOP),
    ],
)
def test_read_answer_finish(reason: str | None, finish: Finish) -> None:
    """Every stop reason has a canonical one."""
    assert answered(stop_reason=reason).finishes == (finish,)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"type":"error","error":{}}', b'{"content":[{}]}', b'{"content":"A"}']
)
def test_read_answer_refuses_what_is_none(body: bytes) -> None:
    """A body without content blocks is the provider's error."""
    with pytest.raises(UpstreamError, match="The provider's answer is malformed"):
        read_answer(body)


def test_write_answer_reads_back() -> None:
    """What is written reads as the same answer, under the name that is shown."""
    answer = Answer(
        id="a",
        model="shown",
        choices=(
            (Thinking("R", "s"), Thinking("d", redacted=True), Text("A"), ToolCall("c", "f", "{}")),
        ),
        finishes=(Finish.TOOL_CALLS,),
        usage=Usage(10, 5, 4, 2, 1),
    )

    assert read_answer(write_answer(answer, "shown")) == answer


@pytest.mark.parametrize(
    ("parts", "finish", "sequence", "reason"),
    [
        ((Text("A"),), Finish.STOP, None, "end_turn"),
        ((Text("A"),), Finish.STOP, "###", "stop_sequence"),
        ((ToolCall("c", "f", "{}"),), Finish.STOP, None, "tool_use"),
        ((ToolCall("c", "f", "{}"),), Finish.LENGTH, None, "max_tokens"),
        ((Text("A"),), Finish.CONTENT_FILTER, None, "refusal"),
    ],
)
def test_write_answer_stop_reason(
    parts: tuple[Text | ToolCall, ...], finish: Finish, sequence: str | None, reason: str
) -> None:
    """A call ends with tool_use, or the loop of the client would stop."""
    answer = Answer("a", "m", (parts,), (finish,), Usage(), stop_sequence=sequence)

    assert json.loads(write_answer(answer, "m"))["stop_reason"] == reason


def test_write_answer_leaves_unsigned_reasoning_out() -> None:
    """Reasoning that another model wrote would come back without a signature and be refused."""
    answer = Answer("a", "m", ((Thinking("R"), Text("A")),), (Finish.STOP,), Usage())

    assert json.loads(write_answer(answer, "m"))["content"] == [{"type": "text", "text": "A"}]
