"""Tests of gateway.simulated.chats."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import (
    Answer,
    Chat,
    Finish,
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
from gateway.simulated.chats import SIGNATURE, answer_chat, words_of
from gateway.wire.anthropic_write import JSON_ONLY, JSON_SCHEMA

SCHEMA = b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'
WEATHER = Tool("get_weather", "", SCHEMA)
CLOCK = Tool("currentTime")
ROME = Turn(Role.USER, (Text("What is the weather in Rome?"),))
HELLO = Turn(Role.USER, (Text("Say hello."),))


def answered(*turns: Turn, **members: object) -> Answer:
    """The answer to a chat."""
    return answer_chat(Chat("gpt-4o", turns or (HELLO,), **members), "chatcmpl-0123456789ab", 17)


def text(answer: Answer) -> str:
    """The words of the first choice."""
    part = answer.choices[0][0]
    assert isinstance(part, Text)
    return part.text


def test_answer_in_words() -> None:
    """An answer says that it is simulated, for whom it speaks, and what was asked."""
    answer = answered()

    assert text(answer).startswith(
        "This is a simulated answer from gpt-4o. You asked: “Say hello.”."
    )
    assert (answer.model, answer.created_s, answer.finishes) == ("gpt-4o", 17, (Finish.STOP,))
    assert answer.usage.tokens_in > 0
    assert answer.usage.tokens_out > 0
    assert answer == answered()


def test_answer_has_limits() -> None:
    """The token limit and stop sequences of the client hold."""
    short = answered(max_tokens=3)
    stopped = answered(stop=("answer", "zzz"))

    assert (short.finishes, short.usage.tokens_out) == ((Finish.LENGTH,), 3)
    assert text(stopped) == "This is a simulated "
    assert (stopped.finishes, stopped.stop_sequence) == ((Finish.STOP,), "answer")
    assert answered(max_tokens=0).choices == ((),)


def test_answer_has_as_many_choices_as_asked() -> None:
    """Of n choices all are counted, and they differ."""
    answer = answered(n=3)

    assert len(set(answer.choices)) == len(answer.finishes) == 3
    assert answer.usage.tokens_out > 2 * answered().usage.tokens_out


@pytest.mark.parametrize(
    ("turn", "choice", "called"),
    [
        (ROME, None, "get_weather"),
        (ROME, ToolChoice("auto"), "get_weather"),
        (HELLO, None, None),
        (HELLO, ToolChoice("required"), "currentTime"),
        (ROME, ToolChoice("required"), "get_weather"),
        (ROME, ToolChoice("none"), None),
        (ROME, ToolChoice("named", "currentTime"), "currentTime"),
        (HELLO, ToolChoice("named", "unknown"), None),
    ],
)
def test_tool_calls(turn: Turn, choice: ToolChoice | None, called: str | None) -> None:
    """A tool is called when it is demanded, or when the ask speaks of what its name says."""
    answer = answered(turn, tools=(CLOCK, WEATHER), tool_choice=choice)

    part = answer.choices[0][0]
    assert (part.name if isinstance(part, ToolCall) else None) == called
    assert answer.finishes == (Finish.TOOL_CALLS if called else Finish.STOP,)


def test_tool_arguments_satisfy_the_schema() -> None:
    """The arguments are an instance of the tool's schema."""
    call = answered(ROME, tools=(WEATHER,)).choices[0][0]

    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == {"city": "simulated"}
    assert call.id == "call_0123456789ab0"


def test_tool_arguments_have_the_limit_too() -> None:
    """A call that is longer than the token limit is cut and says so."""
    answer = answered(ROME, tools=(WEATHER,), max_tokens=1)

    assert answer.finishes == (Finish.LENGTH,)
    assert answer.usage.tokens_out == 1


def test_results_are_answered_in_words() -> None:
    """After a result there is no further call, so an agent's loop ends."""
    call = Turn(Role.ASSISTANT, (ToolCall("c", "get_weather", "{}"),))
    result = Turn(Role.USER, (ToolResult("c", (Text("sunny, 24 degrees"),)),))

    answer = answered(ROME, call, result, tools=(WEATHER,), tool_choice=ToolChoice("required"))

    assert "The tool answered: “sunny, 24 degrees”." in text(answer)


def test_json_answers() -> None:
    """A wish for JSON gets JSON, of the schema where there is one."""
    anything = json.loads(text(answered(response_format=ResponseFormat("json_object"))))
    schema = json.loads(text(answered(response_format=ResponseFormat("json_schema", SCHEMA))))

    assert anything["simulated"] is True
    assert schema == {"city": "simulated"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("get_weather", ["weather"]),
        ("currentTime", ["current", "time"]),
        ("SQL", ["sql"]),
        ("get_the", []),
        ("f", []),
    ],
)
def test_words_of(name: str, words: list[str]) -> None:
    """The name of a tool in words, without those that every tool has."""
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("demand", "answer"),
    [
        (JSON_SCHEMA + SCHEMA.decode(), {"city": "simulated"}),
        (JSON_ONLY, {"answer", "simulated"}),
    ],
)
def test_json_answers_to_a_demand_in_words(demand: str, answer: object) -> None:
    """What a translation asks an older model for in words is answered as well."""
    said = json.loads(text(answered(Turn(Role.SYSTEM, (Text("Rules."), Text(demand))), HELLO)))

    assert said == answer or said.keys() == answer


@pytest.mark.parametrize(
    ("wish", "thinks"),
    [
        (b'{"type":"enabled","budget_tokens":1024}', True),
        (b'{"type":"adaptive"}', True),
        (b'{"type":"disabled"}', False),
        (b"true", False),
    ],
)
def test_thinking(wish: bytes, thinks: bool) -> None:
    """Where thinking is enabled, a signed thought comes first, and is counted."""
    answer = answered(extra={"thinking": wish})
    thoughts = [part for part in answer.choices[0] if isinstance(part, Thinking)]

    assert [thought.signature for thought in thoughts] == [SIGNATURE] * thinks
    assert isinstance(answer.choices[0][-1], Text)
    assert (answer.usage.tokens_out > answered().usage.tokens_out) is thinks
