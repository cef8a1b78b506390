"""Tests of gateway.wire.anthropic_write."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given

from gateway.core.chat import (
    Chat,
    Image,
    Opaque,
    ResponseFormat,
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
from gateway.wire.anthropic_write import JSON_SCHEMA, OPENING, write
from tests.gateway.wire import golden
from tests.gateway.wire.chats import chats

HI = (Turn(Role.USER, (Text("Hi"),)),)


def said(*turns: Turn, omit: tuple[str, ...] = (), **members: object):
    """The decoded body of a chat, and what was lost."""
    chat = Chat(model="asked", turns=turns or HI, **members)
    body, losses = write(chat, model="m", max_tokens=100, omit=omit)
    return json.loads(body), losses


def unnamed(chat: Chat) -> Chat:
    """*chat* without the name of its response format, which this dialect has not."""
    wanted = chat.response_format
    return msgspec.structs.replace(
        chat, response_format=wanted and ResponseFormat(wanted.kind, wanted.schema)
    )


@given(chats())
def test_write_then_read_gives_the_same_chat(chat: Chat) -> None:
    """Nothing is lost and nothing changes between writing a chat and reading it again."""
    body, losses = write(chat, model=chat.model, max_tokens=1000)

    assert anthropic_messages.read(body) == unnamed(chat)
    assert losses == ()


@given(chats())
def test_a_chat_survives_the_way_to_the_other_dialect_and_back(chat: Chat) -> None:
    """What both dialects can say comes back from the other one."""
    there, lost_there = openai_chat.write(chat, model=chat.model, max_tokens=1000)
    back, lost_back = write(openai_chat.read(there), model=chat.model, max_tokens=1000)

    assert anthropic_messages.read(back) == unnamed(chat)
    assert lost_there == lost_back == ()


def test_write_golden_of_the_other_dialect() -> None:
    """A translated request names everything that was lost, and merges neighbours of one role."""
    chat = openai_chat.read(golden.read("openai_request.json"))

    body, losses = write(chat, model="m", max_tokens=400)
    said = json.loads(body)

    assert [m["role"] for m in said["messages"]] == ["user", "assistant", "user"]
    assert [b["type"] for b in said["messages"][2]["content"]] == ["tool_result"] * 2 + ["text"]
    assert said["messages"][1]["content"][1]["input"] == {}
    assert said["tools"][1]["input_schema"] == {"type": "object"}
    assert said["output_config"]["effort"] == "low"
    assert said["output_config"]["format"]["schema"]["required"] == ["what"]
    assert (said["max_tokens"], said["temperature"], said["stop_sequences"]) == (400, 1.0, ["###"])
    assert set(losses) == {
        "approximated;clamped;max_tokens",
        "approximated;clamped;temperature",
        "dropped;unsupported;image_url.detail",
        "dropped;unsupported;messages[1].name",
        "dropped;unsupported;seed",
        "dropped;unsupported;stop",
    }


@pytest.mark.parametrize(
    ("turn", "losses"),
    [
        (Turn(Role.USER, (Opaque("input_audio", b"{}"),)), ("dropped;unsupported;input_audio",)),
        (Turn(Role.ASSISTANT, (Thinking("t"),)), ("dropped;model_bound;thinking",)),
        (Turn(Role.USER, (Image("u", detail="low"),)), ("dropped;unsupported;image_url.detail",)),
        (Turn(Role.USER, (Image("u", detail="auto"),)), ()),
        (
            Turn(Role.USER, (ToolResult("c", (Opaque("input_audio", b"{}"),)),)),
            ("dropped;unsupported;input_audio",),
        ),
        (
            Turn(Role.USER, (ToolCall("c", "f", "no json"),)),
            ("approximated;converted;tool_calls.function.arguments",),
        ),
    ],
)
def test_write_names_lost_parts(turn: Turn, losses: tuple[str, ...]) -> None:
    """A part that this dialect lacks is left out or changed, and named."""
    assert said(*HI, turn)[1] == losses


@pytest.mark.parametrize(
    ("members", "name", "value", "losses"),
    [
        ({}, "max_tokens", 100, ()),
        ({"max_tokens": 500}, "max_tokens", 100, ("approximated;clamped;max_tokens",)),
        ({"temperature": 2.0}, "temperature", 1.0, ("approximated;clamped;temperature",)),
        ({"temperature": 0.5, "top_p": 0.5}, "top_p", None, ("dropped;exclusive;top_p",)),
        ({"n": 2}, "n", None, ("dropped;unsupported;n",)),
        ({"stop": ("\n", "x")}, "stop_sequences", ["x"], ("dropped;unsupported;stop",)),
        ({"user": "u"}, "metadata", {"user_id": "u"}, ()),
        ({"reasoning_effort": "low"}, "output_config", {"effort": "low"}, ()),
        (
            {"reasoning_effort": "minimal"},
            "output_config",
            {"effort": "low"},
            ("approximated;clamped;reasoning_effort",),
        ),
        (
            {"reasoning_effort": "none"},
            "output_config",
            None,
            ("dropped;unsupported;reasoning_effort",),
        ),
        (
            {"response_format": ResponseFormat("json_object")},
            "system",
            [{"type": "text", "text": "Answer with one JSON object and nothing else."}],
            ("approximated;converted;response_format",),
        ),
        ({"tool_choice": ToolChoice()}, "tool_choice", None, ("dropped;unsupported;tool_choice",)),
        (
            {"tools": (Tool("f"),), "parallel_tools": False},
            "tool_choice",
            {"type": "auto", "disable_parallel_tool_use": True},
            (),
        ),
        (
            {"tools": (Tool("f"),), "tool_choice": ToolChoice("named", "f")},
            "tool_choice",
            {"type": "tool", "name": "f"},
            (),
        ),
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
    """Omitted members are left out and named, also the two inside output_config."""
    omit = ("output_config.format", "output_config.effort", "temperature")
    wanted = ResponseFormat("json_schema", b"{}")

    body, losses = said(reasoning_effort="low", response_format=wanted, temperature=0.1, omit=omit)

    assert body.keys() == {"model", "max_tokens", "messages", "system"}
    assert losses == (
        "dropped;omitted;reasoning_effort",
        "approximated;converted;response_format",
        "dropped;omitted;temperature",
    )


def test_write_demands_a_schema_in_words() -> None:
    """A model without structured output is told the schema, behind the client's own words."""
    wanted = ResponseFormat("json_schema", b'{"type":"object"}')
    rules = Turn(Role.SYSTEM, (Text("Be brief."),))

    body, _ = said(rules, *HI, response_format=wanted, omit=("output_config.format",))

    assert [block["text"] for block in body["system"]] == [
        "Be brief.",
        JSON_SCHEMA + '{"type":"object"}',
    ]


def test_write_moves_later_system_turns_to_the_front() -> None:
    """There is one system prompt here, so a later system turn joins it."""
    late = Turn(Role.SYSTEM, (Text("Late."),))

    body, losses = said(Turn(Role.SYSTEM, (Text("Early."),)), *HI, late)

    assert [block["text"] for block in body["system"]] == ["Early.", "Late."]
    assert losses == ("approximated;moved;messages.system",)


def test_write_gives_a_chat_of_system_turns_a_user() -> None:
    """A request without any message would be refused, so the system prompt becomes one."""
    body, losses = said(Turn(Role.SYSTEM, (Text("Write a haiku."),)))

    assert "system" not in body
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Write a haiku."}]}
    ]
    assert losses == ("approximated;converted;messages.system",)


def test_write_opens_a_chat_that_the_assistant_began() -> None:
    """The first message must be the user's, and many chats begin with a greeting."""
    body, losses = said(Turn(Role.ASSISTANT, (Text("Welcome!"),)), *HI)

    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"] == [{"type": "text", "text": OPENING}]
    assert losses == ("approximated;converted;messages",)


def test_write_puts_results_first() -> None:
    """In a message the results of tools come before everything else, or it is refused."""
    body, _ = said(*HI, Turn(Role.USER, (Text("And?"), ToolResult("c", (Text("4"),)))))

    assert [b["type"] for b in body["messages"][0]["content"]] == ["tool_result", "text", "text"]


def test_write_leaves_blank_text_out() -> None:
    """Text without words is refused by the provider and says nothing."""
    body, losses = said(Turn(Role.USER, (Text(" \n"), Text("Hi"), Text(""))))

    assert body["messages"][0]["content"] == [{"type": "text", "text": "Hi"}]
    assert losses == ()


def test_write_changes_foreign_ids_in_pairs() -> None:
    """Ids of other providers lose their foreign characters, in the call and in its result."""
    call = Turn(Role.ASSISTANT, (ToolCall("functions.f:0", "f", "{}"),))
    result = Turn(Role.USER, (ToolResult("functions.f:0", (Text("4"),)),))

    body, _ = said(*HI, call, result)

    assert body["messages"][1]["content"][0]["id"] == "functions_f_0"
    assert body["messages"][2]["content"][0]["tool_use_id"] == "functions_f_0"


@pytest.mark.parametrize(
    ("parameters", "written"),
    [
        (b"{}", b'{"type":"object"}'),
        (b'{"properties": {}}', b'{"properties": {},"type":"object"}'),
        (b'{"type": "object"}', b'{"type": "object"}'),
        (b"true", b"true"),
    ],
)
def test_write_demands_a_type_of_tool_schemas(parameters: bytes, written: bytes) -> None:
    """A schema without a type gets the one that is meant; others stay byte for byte."""
    body, _ = write(Chat("m", HI, tools=(Tool("f", "", parameters),)), model="m", max_tokens=1)

    assert b'"input_schema":%b}' % written in body
