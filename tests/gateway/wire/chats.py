"""Strategies: chats that both chat dialects can say, and bodies that are nearly right."""

from __future__ import annotations

import copy
import string

import msgspec
from hypothesis import strategies as st

from gateway.core.chat import (
    Chat,
    Image,
    ResponseFormat,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(max_size=8), json_values, max_size=3)
words = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip()))
names = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=12)
texts = st.builds(Text, words)
images = st.builds(Image, url=names.map("https://example.org/{}.png".format)) | st.builds(
    Image, media_type=st.sampled_from(["image/png", "image/webp"]), data=st.just("aWNvbg==")
)
schemas = json_objects.map(lambda properties: {"type": "object", "properties": properties}).map(
    msgspec.json.encode
)
tools = st.builds(Tool, names, st.text(max_size=10), schemas, st.sampled_from([None, True, False]))
calls = st.builds(ToolCall, names, names, json_objects.map(msgspec.json.encode).map(bytes.decode))
said = st.lists(texts | images, min_size=1, max_size=3).map(tuple)


@st.composite
def exchanges(draw: st.DrawFn) -> list[Turn]:
    """The user says something; the assistant calls tools and hears from them, or just answers."""
    turns = [Turn(Role.USER, draw(said))]
    called = draw(st.lists(calls, max_size=2, unique_by=lambda call: call.id))
    if called:
        spoken = draw(st.lists(texts, max_size=1))
        results = tuple(ToolResult(call.id, (draw(texts),)) for call in called)
        turns += [Turn(Role.ASSISTANT, (*spoken, *called)), Turn(Role.USER, results)]
    return [*turns, Turn(Role.ASSISTANT, (draw(texts),))]


@st.composite
def chats(draw: st.DrawFn) -> Chat:
    """A chat without anything that one of the chat dialects lacks."""
    system = draw(st.lists(texts.map(lambda text: Turn(Role.SYSTEM, (text,))), max_size=1))
    history = [turn for turns in draw(st.lists(exchanges(), max_size=2)) for turn in turns]
    known = draw(st.lists(tools, max_size=2, unique_by=lambda tool: tool.name))
    choice, parallel = None, None
    if known:
        named = ToolChoice("named", known[0].name)
        choice = draw(
            st.sampled_from([None, named, *map(ToolChoice, ("auto", "none", "required"))])
        )
    if choice is not None and choice.kind != "none":
        parallel = draw(st.sampled_from([None, True, False]))
    wanted = draw(st.none() | schemas)
    sampling = draw(st.sampled_from([{}, {"temperature": 0.5}, {"top_p": 0.9}]))
    stream = draw(st.booleans())
    return Chat(
        model=draw(names),
        turns=(*system, *history, Turn(Role.USER, draw(said))),
        stream=stream,
        include_usage=stream,
        tools=tuple(known),
        tool_choice=choice,
        parallel_tools=parallel,
        max_tokens=draw(st.integers(1, 1000)),
        stop=tuple(draw(st.lists(words, max_size=4))),
        response_format=wanted and ResponseFormat("json_schema", wanted, "answer"),
        reasoning_effort=draw(st.sampled_from([None, "low", "high"])),
        user=draw(st.none() | names),
        **sampling,
    )


@st.composite
def nearly(draw: st.DrawFn, body: object) -> bytes:
    """*body* with one value somewhere inside replaced by any JSON, or removed."""
    damaged = copy.deepcopy(body)
    at = damaged
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = draw(st.sampled_from(keys))
        inner = at[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            at = inner
            continue
        if draw(st.booleans()):
            at[key] = draw(json_values)
        else:
            del at[key]
        return msgspec.json.encode(damaged)
