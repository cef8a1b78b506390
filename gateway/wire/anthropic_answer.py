"""Whole answers of POST /v1/messages: read one, write one."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Answer, Finish, Part, Text, Thinking, ToolCall, Usage
from gateway.wire.anthropic_usage import counts_of, read_counts, usage_of
from gateway.wire.anthropic_write import call_block
from gateway.wire.decode import NULL, UNREADABLE, given
from gateway.wire.dialect import Losses
from gateway.wire.openai_answer import malformed_answer

FINISHES = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "pause_turn": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.CONTENT_FILTER,
}
REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.CONTENT_FILTER: "refusal",
}


class Block(msgspec.Struct):
    """One content block, whatever its type."""

    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = NULL
    thinking: str = ""
    signature: str | None = None
    data: str = ""


class Body(msgspec.Struct):
    """The members we translate."""

    content: list[Block]
    id: str = ""
    model: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: msgspec.Raw = NULL


BODY = msgspec.json.Decoder(Body)


def read_answer(body: bytes) -> Answer:
    """
    The canonical answer of *body*, without the blocks of tools that ran at the provider.

    Raises:
        UpstreamError: the body is no answer.
    """
    try:
        said = BODY.decode(body)
        parts = tuple(part for block in said.content if (part := _part(block)) is not None)
    except UNREADABLE:
        raise malformed_answer() from None
    counts = read_counts(said.usage)
    return Answer(
        id=said.id,
        model=said.model,
        choices=(parts,),
        finishes=(finish_of(said.stop_reason or "end_turn"),),
        usage=(usage_of(counts) if counts else None) or Usage(),
        stop_sequence=said.stop_sequence,
    )


def finish_of(reason: str) -> Finish:
    """Canonical finish; a reason that is not documented ended the answer all the same."""
    return FINISHES.get(reason, Finish.STOP)


def reason_of(finish: Finish, stop_sequence: str | None, *, called: bool) -> str:
    """
    ``stop_reason`` to send. *called*: the answer holds a tool call, which some providers end with
    "stop"; a client's loop of tools goes on only after ``tool_use``.
    """
    if finish is Finish.STOP and called:
        return "tool_use"
    if finish is Finish.STOP and stop_sequence is not None:
        return "stop_sequence"
    return REASONS[finish]


def _part(block: Block) -> Part | None:
    match block.type:
        case "text":
            return Text(block.text)
        case "tool_use":
            arguments = bytes(block.input).decode() if given(block.input) else "{}"
            return ToolCall(block.id, block.name, arguments)
        case "thinking":
            return Thinking(block.thinking, block.signature or None)
        case "redacted_thinking":
            return Thinking(block.data, redacted=True)
    return None


def write_answer(answer: Answer, model: str) -> bytes:
    """
    The first choice of *answer* as a ``message``.

    Unsigned reasoning is left out: the client would send it back, and a model that checks
    signatures would refuse the conversation from then on.
    """
    parts = answer.choices[0]
    called = any(isinstance(part, ToolCall) for part in parts)
    return msgspec.json.encode(
        {
            "id": answer.id,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [block for part in parts if (block := _block(part)) is not None],
            "stop_reason": reason_of(answer.finishes[0], answer.stop_sequence, called=called),
            "stop_sequence": answer.stop_sequence,
            "usage": counts_of(answer.usage),
        }
    )


def _block(part: Part) -> dict[str, object] | None:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text}
        case ToolCall():
            return call_block(part, Losses())
        case Thinking(text=text, redacted=True):
            return {"type": "redacted_thinking", "data": text}
        case Thinking(text=text, signature=str(signature)):
            return {"type": "thinking", "thinking": text, "signature": signature}
    return None
