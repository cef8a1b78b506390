"""Tests of gateway/signals/parts.py."""

from __future__ import annotations

import pytest

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
    ToolResult,
    Turn,
)
from gateway.signals.parts import Contents, read_contents

PHOTO = Image(url="https://images.example/a.png")
AUDIO = Opaque("input_audio", b'{"data":""}')
CALL = ToolCall("c1", "look_up", '{"q":"tea"}')


def test_read_contents_of_an_empty_chat():
    """A chat of nothing holds nothing."""
    assert read_contents(Chat("m", ())) == Contents()


def test_read_contents_sorts_everything_that_is_sent():
    """System prompt, texts, pictures, blobs, tools and schemas each go to their place."""
    chat = Chat(
        "m",
        (
            Turn(Role.SYSTEM, (Text("Be brief."),)),
            Turn(Role.USER, (Text("What is it?"), PHOTO, AUDIO)),
            Turn(Role.ASSISTANT, (Thinking("tea?"), Text("Let me see"), CALL)),
            Turn(Role.USER, (ToolResult("c1", (Text("a leaf"), PHOTO)),)),
        ),
        tools=(Tool("look_up", "Search", b'{"type":"object"}'),),
        response_format=ResponseFormat("json_schema", b'{"type":"array"}'),
    )

    assert read_contents(chat) == Contents(
        system=["Be brief."],
        texts=[
            *("What is it?", "tea?", "Let me see", "look_up", '{"q":"tea"}', "a leaf"),
            *("look_up", "Search", '{"type":"object"}', '{"type":"array"}'),
        ],
        images=[PHOTO, PHOTO],
        opaque=[AUDIO],
        turns=4,
        tools=1,
        asks=1,
        uses_tools=True,
    )


@pytest.mark.parametrize(
    ("parts", "asks"),
    [
        ((Text("Hi"),), 1),
        ((Text("Hi"), Text("there")), 1),
        ((ToolResult("c1", ()), Text("A reminder")), 0),
        ((ToolResult("c1", ()),), 0),
        ((PHOTO,), 0),
        ((), 0),
    ],
)
def test_asks_are_user_turns_with_words_and_no_result(parts, asks):
    """A human's turn is counted once, an agent's step never."""
    chat = Chat("m", (Turn(Role.USER, parts), Turn(Role.ASSISTANT, (Text("Hello"),))))

    assert read_contents(chat).asks == asks


@pytest.mark.parametrize(
    ("chat", "uses_tools"),
    [
        (Chat("m", (Turn(Role.ASSISTANT, (CALL,)),)), True),
        (Chat("m", (Turn(Role.USER, (ToolResult("c1", ()),)),)), True),
        (Chat("m", (), tools=(Tool("f"),)), True),
        (Chat("m", (), extra={"tools[0]": b'{"type":"web_search"}'}), True),
        (Chat("m", (), extra={"functions": b'[{"name":"f"}]'}), True),
        (Chat("m", (), extra={"functions": b"[]"}), False),
        (Chat("m", (), extra={"seed": b"1"}), False),
    ],
)
def test_tools_are_used_when_offered_called_or_answered(chat, uses_tools):
    """A history with calls needs a model that reads them, even where no tool is offered now."""
    assert read_contents(chat).uses_tools is uses_tools


def test_redacted_thinking_is_no_text():
    """An encrypted blob says nothing of its tokens."""
    chat = Chat("m", (Turn(Role.ASSISTANT, (Thinking("gibberish", redacted=True),)),))

    assert read_contents(chat).texts == []
