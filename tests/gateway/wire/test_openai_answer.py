"""Tests of gateway.wire.openai_answer."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import Answer, Finish, Image, Text, Thinking, ToolCall, Usage
from gateway.core.errors import UpstreamError
from gateway.wire.openai_answer import read_answer, write_answer


def answered(message: dict[str, object], finish: str | None = "stop", **members: object) -> Answer:
    """How an answer with one choice reads."""
    body = {"id": "a", "model": "m", "choices": [{"message": message, "finish_reason": finish}]}
    return read_answer(json.dumps(body | members).encode())


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"content": "A"}, (Text("A"),)),
        ({"content": None, "refusal": "No"}, (Text("No"),)),
        ({"content": "A", "reasoning_content": "R"}, (Thinking("R"), Text("A"))),
        ({"content": "A", "reasoning": "R"}, (Thinking("R"), Text("A"))),
        ({"content": [{"type": "thinking"}, {"type": "text", "text": "A"}]}, (Text("A"),)),
        (
            {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]},
            (ToolCall("c", "f", "{}"),),
        ),
        (
            {"tool_calls": [{"function": {"name": "f"}}, {"id": None, "function": {"name": "g"}}]},
            (ToolCall("call_0", "f", ""), ToolCall("call_1", "g", "")),
        ),
        ({"tool_calls": [{"id": "c", "type": "custom"}]}, ()),
        ({}, ()),
    ],
)
def test_read_answer_parts(message: dict[str, object], parts: tuple[object, ...]) -> None:
    """Words, refusals, reasoning and calls of any imitator read into parts."""
    assert answered(message).choices == (parts,)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", Finish.STOP),
        ("length", Finish.LENGTH),
        ("tool_calls", Finish.TOOL_CALLS),
        ("function_call", Finish.TOOL_CALLS),
        ("content_filter", Finish.CONTENT_FILTER),
        ("eos", Finish.STOP),
        (None, Finish.STOP),
    ],
)
def test_read_answer_finish(reason: str | None, finish: Finish) -> None:
    """Every finish reason has a canonical one; a whole body has ended whatever it says."""
    assert answered({"content": "A"}, reason).finishes == (finish,)


def test_read_answer_orders_choices() -> None:
    """Choices are in the order of their index, not of the body."""
    choices = [{"index": i, "message": {"content": str(i)}} for i in (1, 0)]

    assert answered({}, choices=choices).choices == ((Text("0"),), (Text("1"),))


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        ({"id": None}, "id", ""),
        ({"model": None}, "model", ""),
        ({"created": 17.5}, "created_s", 17),
        ({"created": None}, "created_s", 0),
        ({"usage": {"prompt_tokens": 3, "completion_tokens": 2}}, "usage", Usage(3, 2)),
        ({"usage": None}, "usage", Usage()),
    ],
)
def test_read_answer_members(members: dict[str, object], field: str, value: object) -> None:
    """Members that imitators leave out or write otherwise do not spoil the answer."""
    assert getattr(answered({"content": "A"}, **members), field) == value


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"choices":[]}', b'{"error":{"message":"x"}}', b'{"choices":[{}]}']
)
def test_read_answer_refuses_what_is_none(body: bytes) -> None:
    """A body without any choice is the provider's error."""
    with pytest.raises(UpstreamError, match="The provider's answer is malformed") as caught:
        read_answer(body)

    assert caught.value.code == "malformed_answer"


def test_write_answer_reads_back() -> None:
    """What is written reads as the same answer, under the name that is shown."""
    answer = Answer(
        id="a",
        model="shown",
        choices=((Thinking("R"), Text("A")), (ToolCall("c", "f", "{}"),)),
        finishes=(Finish.LENGTH, Finish.TOOL_CALLS),
        usage=Usage(10, 5, 4, 2, 1),
        created_s=17,
    )

    assert read_answer(write_answer(answer, "shown")) == answer


def test_write_answer_of_calls_only_has_no_content() -> None:
    """Content is null beside tool calls and never null without: SDKs rely on both."""
    calls = Answer("a", "m", ((ToolCall("c", "f", "{}"),),), (Finish.TOOL_CALLS,), Usage())
    nothing = Answer(
        "a", "m", ((Image("u"), Thinking("x", redacted=True)),), (Finish.STOP,), Usage()
    )

    assert json.loads(write_answer(calls, "m"))["choices"][0]["message"]["content"] is None
    assert json.loads(write_answer(nothing, "m"))["choices"][0]["message"] == {
        "role": "assistant",
        "content": "",
        "refusal": None,
    }
