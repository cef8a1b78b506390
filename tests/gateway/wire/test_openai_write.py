"""Tests of gateway.wire.openai_write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from gateway.core.chat import (
    Chat,
    Image,
    Opaque,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from gateway.wire import anthropic_messages, openai_chat
from gateway.wire.openai_write import write
from tests.gateway.wire import golden
from tests.gateway.wire.chats import chats

HI = (Turn(Role.USER, (Text("Hi"),)),)


def said(*turns: Turn, omit: tuple[str, ...] = (), **members: object):
    """The decoded body of a chat, and what was lost."""
    chat = Chat(model="asked", turns=turns or HI, **members)
    body, losses = write(chat, model="m", max_tokens=100, omit=omit)
    return json.loads(body), losses


@given(chats())
def test_write_then_read_gives_the_same_chat(chat: Chat) -> None:
    """Nothing is lost and nothing changes between writing a chat and reading it again."""
    body, losses = write(chat, model=chat.model, max_tokens=1000)

    assert openai_chat.read(body) == chat
    assert losses == ()


@given(chats())
def test_a_chat_survives_the_way_to_the_other_dialect_and_back(chat: Chat) -> None:
    """What both dialects can say comes back from the other one."""
    there, lost_there = anthropic_messages.write(chat, model=chat.model, max_tokens=1000)
    back, lost_back = write(anthropic_messages.read(there), model=chat.model, max_tokens=1000)

    assert openai_chat.read(back) == chat
    assert lost_there == lost_back == ()


def test_write_golden_of_the_other_dialect() -> None:
    """A translated request names everything that was lost, once."""
    chat = anthropic_messages.read(golden.read("anthropic_request.json"))

    body, losses = write(chat, model="m", max_tokens=500)

    assert [m["role"] for m in json.loads(body)["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert set(losses) == {
        "approximated;clamped;max_tokens",
        "approximated;moved;tool_result.image",
        "dropped;model_bound;thinking",
        "dropped;unsupported;cache_control",
        "dropped;unsupported;document",
        "dropped;unsupported;thinking",
        "dropped;unsupported;tool_result.is_error",
        "dropped;unsupported;tools[1]",
        "dropped;unsupported;top_k",
    }


@pytest.mark.parametrize(
    ("turn", "losses"),
    [
        (Turn(Role.USER, (Text("a", cache_mark=True),)), ("dropped;unsupported;cache_control",)),
        (Turn(Role.USER, (Opaque("document", b"{}"),)), ("dropped;unsupported;document",)),
        (Turn(Role.ASSISTANT, (Thinking("t", "s"),)), ("dropped;model_bound;thinking",)),
        (Turn(Role.ASSISTANT, (Image("u"),)), ("dropped;unsupported;assistant.image",)),
        (Turn(Role.SYSTEM, (Image("u"),)), ("dropped;unsupported;system.image",)),
        (Turn(Role.USER, (ToolCall("c", "f", ""),)), ("dropped;unsupported;user.tool_call",)),
        (
            Turn(Role.ASSISTANT, (ToolResult("c", ()),)),
            ("dropped;unsupported;assistant.tool_result",),
        ),
        (
            Turn(Role.USER, (ToolResult("c", (Opaque("document", b"{}"),), is_error=True),)),
            ("dropped;unsupported;tool_result.is_error", "dropped;unsupported;document"),
        ),
    ],
)
def test_write_names_lost_parts(turn: Turn, losses: tuple[str, ...]) -> None:
    """A part that has no place in a message is left out and named."""
    assert said(turn)[1] == losses


@pytest.mark.parametrize(
    ("members", "name", "value", "losses"),
    [
        ({"max_tokens": 5}, "max_completion_tokens", 5, ()),
        ({"max_tokens": 500}, "max_completion_tokens", 100, ("approximated;clamped;max_tokens",)),
        ({"stop": tuple("abcde")}, "stop", list("abcd"), ("approximated;clamped;stop",)),
        ({"reasoning_effort": "xhigh"}, "reasoning_effort", "xhigh", ()),
        (
            {"reasoning_effort": "max"},
            "reasoning_effort",
            "high",
            ("approximated;clamped;reasoning_effort",),
        ),
        ({"tool_choice": ToolChoice()}, "tool_choice", None, ("dropped;unsupported;tool_choice",)),
        ({"parallel_tools": False}, "parallel_tool_calls", None, ()),
        ({"stream": True}, "stream_options", {"include_usage": True}, ()),
        ({"extra": {"top_k": b"5"}}, "top_k", None, ("dropped;unsupported;top_k",)),
    ],
)
def test_write_members(
    members: dict[str, object], name: str, value: object, losses: tuple[str, ...]
) -> None:
    """Members are written as this dialect takes them, and changes are named."""
    body, lost = said(**members)

    assert body.get(name) == value
    assert lost == losses


def test_write_omits_what_the_provider_rejects() -> None:
    """Omitted members are left out and named; the token limit goes by its older name."""
    omit = ("max_completion_tokens", "user", "temperature")

    body, losses = said(max_tokens=5, user="u", omit=omit)

    assert body.keys() == {"model", "messages", "max_tokens"}
    assert losses == ("dropped;omitted;user",)


def test_write_results_come_before_words() -> None:
    """Results become messages of their own right behind the call; images in them move on."""
    turn = Turn(Role.USER, (Text("And?"), ToolResult("c", (Text("4"), Image("https://x/y")))))

    body, losses = said(turn)

    assert body["messages"][0] == {"role": "tool", "tool_call_id": "c", "content": "4"}
    assert [part["type"] for part in body["messages"][1]["content"]] == ["text", "image_url"]
    assert losses == ("approximated;moved;tool_result.image",)


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        (Turn(Role.USER, ()), {"role": "user", "content": ""}),
        (Turn(Role.SYSTEM, ()), {"role": "system", "content": ""}),
        (Turn(Role.ASSISTANT, ()), {"role": "assistant", "content": ""}),
        (Turn(Role.SYSTEM, (Text("a"), Text("b"))), {"role": "system", "content": "a\n\nb"}),
        (Turn(Role.ASSISTANT, (Text("a"), Text("b"))), {"role": "assistant", "content": "ab"}),
    ],
)
def test_write_content_is_null_beside_calls_only(turn: Turn, message: dict[str, object]) -> None:
    """A message without words has an empty string, which every provider takes."""
    assert said(turn)[0]["messages"] == [message]


def test_write_strict_tools() -> None:
    """A tool keeps its schema byte for byte, and its strictness."""
    tool = Tool("f", "Does f.", b'{"type": "object"}', strict=True)
    body, _ = write(Chat("m", HI, tools=(tool,)), model="m", max_tokens=1)

    assert b'"parameters":{"type": "object"}' in body
    assert json.loads(body)["tools"][0]["function"]["strict"] is True
