"""Tests of gateway/signals/read.py."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from gateway.core.fleet import Capability
from gateway.core.request import Kind
from gateway.core.signals import Signals
from gateway.signals.excerpt import read_excerpt
from gateway.signals.read import read_signals
from gateway.signals.tokens import text_tokens


def signals_of(chat: Chat, kind: Kind = Kind.CHAT) -> Signals:
    """The signals of *chat*, with its own excerpt."""
    return read_signals(chat, kind, read_excerpt(chat))


def said(text: str) -> Signals:
    """The signals of a single turn."""
    return signals_of(Chat("m", (Turn(Role.USER, (Text(text),)),)))


def test_every_signal_of_an_agents_request():
    """A long request with everything in it, signal by signal."""
    system = "You repair code. Never guess."
    ask = "Fix `parse()` without new imports:\n- at most 20 lines\n- why does it fail?"
    chat = Chat(
        "m",
        (
            Turn(Role.SYSTEM, (Text(system),)),
            Turn(Role.USER, (Text("Hi"),)),
            Turn(Role.ASSISTANT, (Text("Hello"),)),
            Turn(Role.USER, (Text(ask), Image(url="u"))),
            Turn(Role.ASSISTANT, (ToolCall("c1", "run", "{}"),)),
            Turn(Role.USER, (ToolResult("c1", (Text("2 failed"),)),)),
        ),
        stream=True,
        tools=(Tool("run"),),
        max_tokens=900,
        response_format=ResponseFormat("json_object"),
    )
    excerpt = read_excerpt(chat)
    found = read_signals(chat, Kind.CHAT, excerpt)
    tools = "\n".join(("run", "{}", "2 failed", "run", "", chat.tools[0].parameters.decode()))
    texts = f"Hi\nHello\n{ask}\n{tools}"
    frames = 6 * 4 + 8 + 3

    assert found == Signals(
        tokens_in=text_tokens(system) + text_tokens(texts) + 765 + frames,
        tokens_system=text_tokens(system),
        system_prompt_chars=len(system),
        turns=6,
        asks=2,
        needs=Capability.CHAT
        | Capability.TOOLS
        | Capability.VISION
        | Capability.JSON
        | Capability.STREAM,
        has_tools=True,
        has_vision=True,
        requires_json=True,
        has_code=False,
        has_math=False,
        questions=1,
        constraints=4,  # two list items, "without" and "most"
        words=15,
        script="latin",
        language="en",
        max_tokens=900,
        stream=True,
        agent_continuation=True,
        excerpt_chars=len(excerpt.text),
        excerpt_truncated=False,
    )


def test_signals_of_an_empty_chat():
    """A chat of nothing needs a chat model and has no other signal."""
    found = signals_of(Chat("m", ()))

    assert found == Signals(
        tokens_in=3,
        tokens_system=0,
        system_prompt_chars=0,
        turns=0,
        asks=0,
        needs=Capability.CHAT,
        has_tools=False,
        has_vision=False,
        requires_json=False,
        has_code=False,
        has_math=False,
        questions=0,
        constraints=0,
        words=0,
        script="",
        language="",
        max_tokens=None,
        stream=False,
        agent_continuation=False,
        excerpt_chars=0,
        excerpt_truncated=False,
    )


@pytest.mark.parametrize(
    ("chat", "kind", "needs"),
    [
        (Chat("m", ()), Kind.CHAT, Capability.CHAT),
        (Chat("m", ()), Kind.COMPLETION, Capability.COMPLETIONS),
        (Chat("m", ()), Kind.EMBEDDING, Capability.EMBEDDINGS),
        (Chat("m", (), stream=True), Kind.COMPLETION, Capability.COMPLETIONS | Capability.STREAM),
        (Chat("m", (), tools=(Tool("f"),)), Kind.CHAT, Capability.CHAT | Capability.TOOLS),
        (
            Chat("m", (), response_format=ResponseFormat("json_object")),
            Kind.CHAT,
            Capability.CHAT | Capability.JSON,
        ),
        (
            Chat("m", (), extra={"response_format": b'{"type":"grammar"}'}),
            Kind.CHAT,
            Capability.CHAT | Capability.JSON,
        ),
        (
            Chat("m", (Turn(Role.USER, (Image(url="u"),)),)),
            Kind.CHAT,
            Capability.CHAT | Capability.VISION,
        ),
        (
            Chat("m", (Turn(Role.USER, (ToolResult("c", (Image(url="u"),)),)),)),
            Kind.CHAT,
            Capability.CHAT | Capability.VISION | Capability.TOOLS,
        ),
        (
            Chat("m", (Turn(Role.USER, (Opaque("input_image", b"{}"),)),)),
            Kind.CHAT,
            Capability.CHAT | Capability.VISION,
        ),
        (
            Chat("m", (Turn(Role.ASSISTANT, (Thinking("hm"),)),)),
            Kind.CHAT,
            Capability.CHAT,
        ),
    ],
)
def test_needs(chat, kind, needs):
    """What a deployment must be able to do follows from kind and shape, not from words."""
    assert signals_of(chat, kind).needs == needs


def test_json_in_words_is_no_need():
    """To ask for JSON in words excludes no model: every model can try."""
    found = said("Answer in JSON only")

    assert not found.requires_json
    assert Capability.JSON not in found.needs


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Explain:\n```\nls -la\n```", True),
        ("def area(r: float) -> float:\n    return 3 * r", True),
        ("int x = 1;\nfor (;;) {\n  x += 1;\n}\nWhat does it print?", True),
        ("SELECT a.b FROM a WHERE a.b == 1 and a.c != 2", True),
        ("What are () => {} and </p> for?", True),
        ("Write a Python function that adds two numbers", False),
        ("First, wash the rice;\nthen, boil it;\nthen, eat.", False),
        ("3 ft = ________ in.", False),
        ("Find x if $x^2 + \\frac{1}{2} = 3$ {", False),
        ("thanks :) ;)", False),
        ("", False),
    ],
)
def test_has_code(text, code):
    """Code itself counts, not the mention of it, nor signs of prose and formulas."""
    assert said(text).has_code is code


@pytest.mark.parametrize(
    ("text", "math"),
    [
        ("what is 12*7", True),
        ("Solve 2x + 3 = 11", True),
        (r"Evaluate \int_0^1 x\,dx", True),
        ("Show that ∀ε ∃δ holds", True),
        ("Is C++ 11 older than C# 5?", False),
        ("He paid 12 dollars and 7 cents", False),
        ("A flat of 80 m² in Köln", False),
        ("x = 1;\ny = 2;\nif (x == y) {\n}\nwhat is y", False),
        ("", False),
    ],
)
def test_has_math(text, math):
    """Formulas count; numbers in prose, units and code do not."""
    assert said(text).has_math is math


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Write a poem", 3),
        ("写一首关于大海的诗", 4),
        ("海の詩を書いて", 3),
        ("写 10 首诗", 3),
        ("", 0),
    ],
)
def test_words(text, words):
    """Scripts without spaces have about a word for two letters."""
    assert said(text).words == words


def test_signals_of_the_ask_ignore_the_rest():
    """Code and questions in the system prompt and in results are not the human's."""
    noise = "```\nx = 1;\n```\nWhy? What? - must"
    found = signals_of(
        Chat(
            "m",
            (
                Turn(Role.SYSTEM, (Text(noise),)),
                Turn(Role.USER, (Text("Make it shorter"),)),
                Turn(Role.ASSISTANT, (ToolCall("c", "f", "{}"),)),
                Turn(Role.USER, (ToolResult("c", (Text(noise),)),)),
            ),
        )
    )

    assert not found.has_code
    assert (found.questions, found.constraints, found.words) == (0, 0, 3)


def test_an_embedding_has_no_frames():
    """Bare text is sent, so bare text is counted."""
    chat = Chat("m", (Turn(Role.USER, (Text("green tea"),)),))

    assert signals_of(chat, Kind.EMBEDDING).tokens_in == text_tokens("green tea")


texts = st.text(max_size=60).map(Text)
anything = st.one_of(
    texts,
    st.builds(ToolCall, st.just("c"), st.text(max_size=9), st.text(max_size=9)),
    st.builds(ToolResult, st.just("c"), st.lists(texts, max_size=2).map(tuple)),
    st.builds(Opaque, st.text(max_size=9), st.binary(max_size=20)),
    st.builds(Thinking, st.text(max_size=9), redacted=st.booleans()),
    st.just(Image(data="aGk=")),
)
turns = st.builds(Turn, st.sampled_from(Role), st.lists(anything, max_size=4).map(tuple))


@given(st.lists(turns, max_size=6).map(tuple), st.sampled_from(Kind), st.booleans())
@settings(deadline=None, max_examples=200)
def test_signals_of_any_chat(turns, kind, stream):
    """Never fails, and the parts of the estimate fit together."""
    found = signals_of(Chat("m", turns, stream=stream), kind)

    assert 0 <= found.tokens_system <= found.tokens_in
    assert found.asks <= found.turns == len(turns)
    assert (Capability.STREAM in found.needs) is stream
    assert min(found.questions, found.constraints, found.words) >= 0


def test_signals_without_an_excerpt():
    """Where routing is off nothing is said of the ask; all else stays as it is."""
    chat = Chat(
        "m",
        (
            Turn(Role.SYSTEM, (Text("Be brief."),)),
            Turn(Role.USER, (Text("Why does `x = 1;` fail? At most 3 lines."), Image(url="u"))),
        ),
        stream=True,
        max_tokens=9,
    )

    found, whole = read_signals(chat, Kind.CHAT, None), signals_of(chat)

    assert (found.words, found.questions, found.constraints, found.excerpt_chars) == (0, 0, 0, 0)
    assert (found.script, found.language, found.has_code) == ("", "", False)
    for name in ("tokens_in", "tokens_system", "system_prompt_chars", "turns", "asks", "needs"):
        assert getattr(found, name) == getattr(whole, name)
    for name in ("has_tools", "has_vision", "requires_json", "max_tokens", "stream"):
        assert getattr(found, name) == getattr(whole, name)
