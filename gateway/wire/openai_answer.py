"""Whole answers of POST /chat/completions: read one, write one."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Answer, Finish, Part, Text, Thinking, ToolCall, Usage
from gateway.core.errors import UpstreamError
from gateway.wire.decode import NULL, UNREADABLE
from gateway.wire.openai_usage import counts_of, usage_of
from gateway.wire.openai_write import call_of, joined

FINISHES = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.CONTENT_FILTER,
}


class Function(msgspec.Struct):
    """A called function."""

    name: str = ""
    arguments: str = ""


class Call(msgspec.Struct):
    """One entry of ``tool_calls``."""

    id: str | None = None
    function: Function | None = None


class Piece(msgspec.Struct):
    """A part of ``content`` where it is no string (Mistral's reasoning models)."""

    type: str = ""
    text: str | None = None


Content = str | list[Piece] | None


class Message(msgspec.Struct):
    """The words of one choice. Reasoning goes by either name."""

    content: Content = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Call] | None = None


class Choice(msgspec.Struct):
    """One of the n answers."""

    message: Message
    index: int = 0
    finish_reason: str | None = None


class Body(msgspec.Struct):
    """The members we translate."""

    choices: list[Choice]
    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    usage: msgspec.Raw = NULL


BODY = msgspec.json.Decoder(Body)


def read_answer(body: bytes) -> Answer:
    """
    The canonical answer of *body*. A refusal reads as text, a missing finish reason as STOP: the
    body is whole. Usage that was not reported is all zero.

    Raises:
        UpstreamError: the body is no answer.
    """
    try:
        said = BODY.decode(body)
    except UNREADABLE:
        raise malformed_answer() from None
    choices = said.choices
    if not choices:
        raise malformed_answer()
    if len(choices) > 1:
        choices.sort(key=lambda choice: choice.index)
    return Answer(
        id=said.id or "",
        model=said.model or "",
        choices=tuple([_parts(choice.message) for choice in choices]),
        finishes=tuple([finish_of(choice.finish_reason or "stop") for choice in choices]),
        usage=usage_of(said.usage) or Usage(),
        created_s=int(said.created or 0),
    )


def malformed_answer() -> UpstreamError:
    """The error of an answer that its dialect does not allow."""
    return UpstreamError("The provider's answer is malformed.", code="malformed_answer")


def finish_of(reason: str) -> Finish:
    """Canonical finish; a reason that is not documented ended the answer all the same."""
    return FINISHES.get(reason, Finish.STOP)


def words_of(content: Content) -> str:
    """The words of ``content``, "" for none."""
    if isinstance(content, list):
        return "".join(piece.text or "" for piece in content if piece.type == "text")
    return content or ""


def _parts(message: Message) -> tuple[Part, ...]:
    parts: list[Part] = []
    if reasoning := message.reasoning_content or message.reasoning:
        parts.append(Thinking(reasoning))
    parts += [Text(text) for text in (words_of(message.content), message.refusal) if text]
    for row, call in enumerate(message.tool_calls or ()):
        if call.function is not None:
            call_id = call.id or f"call_{row}"  # the client names the call when it answers it
            parts.append(ToolCall(call_id, call.function.name, call.function.arguments))
    return tuple(parts)


def write_answer(answer: Answer, model: str) -> bytes:
    """*answer* as a ``chat.completion``. Reasoning is shown, without its signature."""
    choices = [
        {
            "index": index,
            "message": _message(parts),
            "logprobs": None,
            "finish_reason": finish.value,
        }
        for index, (parts, finish) in enumerate(zip(answer.choices, answer.finishes, strict=True))
    ]
    return msgspec.json.encode(
        {
            "id": answer.id,
            "object": "chat.completion",
            "created": answer.created_s,
            "model": model,
            "choices": choices,
            "usage": counts_of(answer.usage),
        }
    )


def _message(parts: tuple[Part, ...]) -> dict[str, object]:
    calls = [call_of(part) for part in parts if isinstance(part, ToolCall)]
    text = joined(parts, "")
    message: dict[str, object] = {
        "role": "assistant",
        "content": text if text or not calls else None,
        "refusal": None,
    }
    thought = "".join(p.text for p in parts if isinstance(p, Thinking) and not p.redacted)
    if thought:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = calls
    return message
