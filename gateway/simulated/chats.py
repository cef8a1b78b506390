"""Answer a chat as a model would: in words, with a tool call, or with JSON."""

from __future__ import annotations

import re

import msgspec

from gateway.core.chat import (
    Answer,
    Chat,
    Finish,
    Part,
    ResponseFormat,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from gateway.core.request import Kind
from gateway.signals.excerpt import read_excerpt
from gateway.signals.read import read_signals
from gateway.simulated.instance import instance_of
from gateway.simulated.words import about, cut, tokens_of
from gateway.wire.anthropic_write import JSON_ONLY, JSON_SCHEMA
from gateway.wire.decode import UNREADABLE

NAME_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}")  # get_weather, getWeather
THOUGHT = "A simulated model does not think: these words stand where its reasoning would."
SIGNATURE = "simulated"
THINKS = frozenset({"enabled", "adaptive"})
COMMON = frozenset({"get", "set", "the", "for", "and", "with", "tool", "function", "call", "run"})


class Wish(msgspec.Struct):
    """The member ``thinking`` of a request."""

    type: str = "disabled"


def answer_chat(chat: Chat, answer_id: str, created_s: int) -> Answer:
    """The answer to *chat* in the name of the model it asks for; *answer_id* seeds ids of calls."""
    ask = read_excerpt(chat).ask
    tool = tool_to_call(chat, ask)
    choices: list[tuple[Part, ...]] = []
    finishes: list[Finish] = []
    tokens_out, stop_sequence = 0, None
    thoughts = thoughts_of(chat)
    for choice in range(chat.n):
        if tool is not None:
            said = cut(_json(tool.parameters), (), chat.max_tokens)
            call_id = (
                f"{'toolu' if answer_id.startswith('msg') else 'call'}_{answer_id[-12:]}{choice}"
            )
            choices.append((*thoughts, ToolCall(call_id, tool.name, said.text)))
            finishes.append(Finish.TOOL_CALLS if said.finish is Finish.STOP else said.finish)
        else:
            said = cut(_text(chat, ask, choice), chat.stop, chat.max_tokens)
            choices.append((*thoughts, Text(said.text)) if said.tokens else thoughts)
            finishes.append(said.finish)
            stop_sequence = stop_sequence or said.stop_sequence
        tokens_out += len(said.tokens) + sum(len(tokens_of(one.text)) for one in thoughts)
    return Answer(
        id=answer_id,
        model=chat.model,
        choices=tuple(choices),
        finishes=tuple(finishes),
        usage=Usage(tokens_in_of(chat), tokens_out),
        created_s=created_s,
        stop_sequence=stop_sequence,
    )


def tokens_in_of(chat: Chat, kind: Kind = Kind.CHAT) -> int:
    """Tokens of the input, as the gateway itself estimates them."""
    return read_signals(chat, kind, None).tokens_in


def thoughts_of(chat: Chat) -> tuple[Thinking, ...]:
    """The reasoning before an answer, signed, where the client has enabled any."""
    try:
        wish = msgspec.json.decode(chat.extra.get("thinking", b"{}"), type=Wish)
    except UNREADABLE:
        return ()
    return (Thinking(THOUGHT, SIGNATURE),) if wish.type in THINKS else ()


def tool_to_call(chat: Chat, ask: str) -> Tool | None:
    """
    The tool that the client demands, or that the ask speaks of. A result is always answered in
    words, so that no loop of tools goes on for ever.
    """
    choice = chat.tool_choice
    kind = choice.kind if choice is not None else "auto"
    if not chat.tools or kind == "none" or results_of(chat):
        return None
    if choice is not None and kind == "named":
        return next((tool for tool in chat.tools if tool.name == choice.name), None)
    said = ask.lower()
    fitting = [tool for tool in chat.tools if any(word in said for word in words_of(tool.name))]
    if kind == "required":
        fitting += chat.tools
    return fitting[0] if fitting else None


def words_of(name: str) -> list[str]:
    """What the name of a tool speaks of: ``weather`` of ``get_weather``."""
    found = (word.lower() for word in NAME_WORD.findall(name))
    return [word for word in found if word not in COMMON]


def results_of(chat: Chat) -> list[str]:
    """What tools answered in the last turn, as text."""
    last = chat.turns[-1].parts if chat.turns else ()
    return [
        " ".join(inner.text for inner in part.parts if isinstance(inner, Text)) or "nothing"
        for part in last
        if isinstance(part, ToolResult)
    ]


def _text(chat: Chat, ask: str, choice: int) -> str:
    results = results_of(chat)
    topic, said = ("The tool answered", " ".join(results)) if results else ("You asked", ask)
    text = about(chat.model, topic, said, choice)
    wanted = format_of(chat)
    if wanted is None:
        return text
    if wanted.schema is None:
        return msgspec.json.encode({"answer": text, "simulated": True}).decode()
    return _json(wanted.schema)


def format_of(chat: Chat) -> ResponseFormat | None:
    """The format that is asked for, be it in the words of a translation for older models."""
    if chat.response_format is not None:
        return chat.response_format
    told = [part for turn in chat.turns if turn.role is Role.SYSTEM for part in turn.parts]
    for part in reversed(told):
        if isinstance(part, Text) and part.text.startswith(JSON_SCHEMA):
            return ResponseFormat("json_schema", part.text.removeprefix(JSON_SCHEMA).encode())
        if isinstance(part, Text) and part.text == JSON_ONLY:
            return ResponseFormat("json_object")
    return None


def _json(schema: bytes) -> str:
    return msgspec.json.encode(instance_of(schema)).decode()


def tokens_of_part(part: Part) -> tuple[str, ...]:
    """The tokens that a stream of *part* consists of."""
    match part:
        case Text(text=text) | ToolCall(arguments=text):
            return tokens_of(text)
    return ()
