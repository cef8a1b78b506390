"""Tests of gateway.wire.anthropic_request."""

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
from gateway.wire.anthropic_request import read
from tests.gateway.wire import golden

SEARCH_RESULT = {
    "type": "search_result",
    "source": "https://docs.example/returns",
    "title": "Returns",
    "content": [{"type": "text", "text": "Goods may be returned for 30 days."}],
    "citations": {"enabled": True},
}


def body(**members: object) -> bytes:
    """A minimal body with *members* added."""
    base = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    return msgspec.json.encode(base | members)


def test_read_golden() -> None:
    """A body with everything reads into the canonical form, and what has none is in extra."""
    chat = read(golden.read("anthropic_request.json"))

    assert chat.turns[0] == Turn(Role.SYSTEM, (Text("Be brief.", cache_mark=True),))
    assert [type(part) for part in chat.turns[1].parts] == [Text, Image, Opaque]
    assert chat.turns[2].parts == (
        Thinking("A picture.", "c2ln"),
        Text("Let me look."),
        ToolCall("toolu_1", "look", '{\n      "deep": true\n     }'),  # as it was written
    )
    assert chat.turns[3].parts == (
        ToolResult(
            "toolu_1", (Text("too dark"), Image("https://example.org/x.png")), is_error=True
        ),
        Text("And now?"),
    )
    assert [tool.name for tool in chat.tools] == ["look"]
    assert (chat.tool_choice, chat.parallel_tools) == (ToolChoice("required"), False)
    assert (chat.max_tokens, chat.stop, chat.user) == (1000, ("###",), "u-1")
    assert (chat.stream, chat.include_usage) == (True, True)
    assert set(chat.extra) == {"thinking", "top_k", "tools[1]"}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "text", "text": "T", "cache_control": {}}, Text("T", cache_mark=True)),
        ({"type": "redacted_thinking", "data": "x"}, Thinking("x", redacted=True)),
        ({"type": "thinking", "thinking": "x", "signature": ""}, Thinking("x")),
        ({"type": "tool_use", "id": "t", "name": "f"}, ToolCall("t", "f", "{}")),
        ({"type": "tool_result", "tool_use_id": "t"}, ToolResult("t", ())),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": "ok"},
            ToolResult("t", (Text("ok"),)),
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
            Opaque("image", b'{"type":"image","source":{"type":"file","file_id":"f"}}'),
        ),
        (SEARCH_RESULT, Opaque("search_result", msgspec.json.encode(SEARCH_RESULT))),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": [SEARCH_RESULT]},
            ToolResult("t", (Opaque("search_result", msgspec.json.encode(SEARCH_RESULT)),)),
        ),
        ({"type": "server_tool_use"}, Opaque("server_tool_use", b'{"type":"server_tool_use"}')),
    ],
)
def test_read_blocks(block: dict[str, object], expected: object) -> None:
    """Every kind of block has its canonical part; unknown ones are kept whole."""
    chat = read(body(messages=[{"role": "user", "content": [block]}]))

    assert chat.turns[0].parts == (expected,)


@pytest.mark.parametrize(
    ("members", "field", "expected"),
    [
        ({"max_tokens": None}, "max_tokens", None),
        ({"tool_choice": {"type": "auto"}}, "tool_choice", ToolChoice("auto")),
        ({"tool_choice": {"type": "none"}}, "tool_choice", ToolChoice("none")),
        ({"tool_choice": {"type": "tool", "name": "f"}}, "tool_choice", ToolChoice("named", "f")),
        ({"tool_choice": None}, "tool_choice", None),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": False}},
            "parallel_tools",
            True,
        ),
        ({"output_config": {"effort": "max"}}, "reasoning_effort", "max"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
            "response_format",
            ResponseFormat("json_schema", b"{}"),
        ),
    ],
)
def test_read_members(members: dict[str, object], field: str, expected: object) -> None:
    """Members read into their canonical fields; null is as good as absent."""
    assert getattr(read(body(**members)), field) == expected


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"top_k": 1}, "top_k"),
        ({"tool_choice": {"type": "newest"}}, "tool_choice"),
        ({"output_config": {"format": {"type": "grammar"}}}, "output_config.format"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools[0]"),
        ({"tools": [{"name": "f", "cache_control": {}}]}, "tools[0].cache_control"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "document", "cache_control": {}}]}
                ]
            },
            "messages[0].content[0].cache_control",
        ),
    ],
)
def test_read_keeps_what_has_no_meaning(members: dict[str, object], name: str) -> None:
    """What has no canonical meaning is in extra, so that a translation can name it."""
    assert set(read(body(**members)).extra) == {name}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t"}]}]},
            "messages[0].content[0].name",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
            "messages[0].content[0].tool_use_id",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": "t", "content": [1]}],
                    }
                ]
            },
            "messages[0].content[0].content[0]",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": "u"}]}]},
            "messages[0].content[0].source",
        ),
        ({"system": [{"type": "text"}]}, "system[0].text"),
        ({"system": 5}, "system"),
        ({"tools": [{}]}, "tools[0].name"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"output_config": {"format": {}}}, "output_config.format.type"),
        ({"max_tokens": 1.5}, "max_tokens"),
    ],
)
def test_read_names_the_field(members: dict[str, object], param: str) -> None:
    """A wrong type or a missing member is the client's error, with the path of the field."""
    with pytest.raises(InvalidRequest) as caught:
        read(body(**members))

    assert caught.value.param == param
