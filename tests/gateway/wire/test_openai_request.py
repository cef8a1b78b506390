"""Tests of gateway.wire.openai_request."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.chat import (
    Image,
    Opaque,
    ResponseFormat,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from gateway.core.errors import InvalidRequest
from gateway.wire.openai_request import read
from tests.gateway.wire import golden


def body(**members: object) -> bytes:
    """A minimal body with *members* added."""
    base = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    return msgspec.json.encode(base | members)


def turn(**message: object) -> Turn:
    """How one message reads."""
    return read(body(messages=[message])).turns[0]


def test_read_golden() -> None:
    """A body with everything reads into the canonical form, and what has none is in extra."""
    chat = read(golden.read("openai_request.json"))

    assert (chat.model, chat.stream, chat.include_usage) == ("gpt-4o", True, True)
    assert [t.role for t in chat.turns] == ["system", "user", "assistant", "user", "user"]
    assert chat.turns[1].parts[1] == Image(media_type="image/png", data="aWNvbg==", detail="high")
    assert chat.turns[2].parts == (
        ToolCall("call_1", "look", '{"deep": true}'),
        ToolCall("call_2", "clock", ""),
    )
    assert chat.turns[3].parts == (
        ToolResult("call_1", (Text("a cat"),)),
        ToolResult("call_2", (Text("noon"),)),
    )
    assert [(tool.name, tool.strict) for tool in chat.tools] == [("look", True), ("clock", None)]
    assert chat.tool_choice == ToolChoice("named", "look")
    assert (chat.parallel_tools, chat.max_tokens, chat.temperature) == (False, 500, 1.5)
    assert (chat.stop, chat.reasoning_effort, chat.user) == (("###", "\n"), "low", "u-1")
    assert chat.response_format is not None
    assert (chat.response_format.kind, chat.response_format.name) == ("json_schema", "seen")
    assert chat.extra == {"seed": b"7", "messages[1].name": b'"ada"'}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "system", "content": "S"}, Turn(Role.SYSTEM, (Text("S"),))),
        ({"role": "developer", "content": "S"}, Turn(Role.SYSTEM, (Text("S"),))),
        ({"role": "user", "content": ""}, Turn(Role.USER, ())),
        ({"role": "user", "content": None}, Turn(Role.USER, ())),
        (
            {"role": "assistant", "reasoning_content": "R", "content": "A", "refusal": "No"},
            Turn(Role.ASSISTANT, (Thinking("R"), Text("A"), Text("No"))),
        ),
        (
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            Turn(Role.ASSISTANT, (ToolCall("f", "f", "{}"),)),
        ),
        (
            {"role": "function", "name": "f", "content": "4"},
            Turn(Role.USER, (ToolResult("f", (Text("4"),)),)),
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {}}]},
            Turn(Role.ASSISTANT, (Opaque("custom", b'{"id":"c","type":"custom","custom":{}}'),)),
        ),
    ],
)
def test_read_messages(message: dict[str, object], expected: Turn) -> None:
    """Every kind of message has its canonical turn."""
    assert turn(**message) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "T"}, Text("T")),
        ({"type": "input_text", "text": "T"}, Text("T")),
        ({"type": "text", "text": "T", "cache_control": {}}, Text("T", cache_mark=True)),
        ({"type": "text", "text": "T", "cache_control": None}, Text("T")),
        ({"type": "refusal", "refusal": "No"}, Text("No")),
        ({"type": "image_url", "image_url": "https://x/y"}, Image("https://x/y")),
        (
            {"type": "image_url", "image_url": {"url": "data:text/plain,x"}},
            Image("data:text/plain,x"),
        ),
        ({"type": "input_audio"}, Opaque("input_audio", b'{"type":"input_audio"}')),
    ],
)
def test_read_content_parts(part: dict[str, object], expected: object) -> None:
    """Every kind of content part has its canonical part; unknown ones are kept whole."""
    assert turn(role="user", content=[part]).parts == (expected,)


@pytest.mark.parametrize(
    ("members", "field", "expected"),
    [
        ({"max_tokens": 5}, "max_tokens", 5),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens", 6),
        ({"max_tokens": 5, "max_completion_tokens": None}, "max_tokens", 5),
        ({"stop": "###"}, "stop", ("###",)),
        ({"stop": None}, "stop", ()),
        ({"n": 3}, "n", 3),
        ({"tool_choice": "required"}, "tool_choice", ToolChoice("required")),
        ({"tool_choice": "any"}, "tool_choice", None),
        ({"response_format": {"type": "text"}}, "response_format", None),
        (
            {"response_format": {"type": "json_object"}},
            "response_format",
            ResponseFormat("json_object"),
        ),
        ({"stream": None}, "stream", False),
    ],
)
def test_read_members(members: dict[str, object], field: str, expected: object) -> None:
    """Members read with their older names and short forms; null is as good as absent."""
    assert getattr(read(body(**members)), field) == expected


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"seed": 1}, "seed"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {"name": "c"}}]}, "tools[0]"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
    ],
)
def test_read_keeps_what_has_no_meaning(members: dict[str, object], name: str) -> None:
    """What has no canonical meaning is in extra, so that a translation can name it."""
    assert set(read(body(**members)).extra) == {name}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "wizard"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].name"),
        ({"messages": [{"role": "user", "content": [5]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text",
        ),
        ({"tools": [{"function": {}}]}, "tools[0].function.name"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 2**31}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"temperature": "hot"}, "temperature"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
    ],
)
def test_read_names_the_field(members: dict[str, object], param: str) -> None:
    """A wrong type or a missing member is the client's error, with the path of the field."""
    with pytest.raises(InvalidRequest) as caught:
        read(body(**members))

    assert caught.value.param == param
    assert caught.value.status == 400
