"""Write a canonical chat as the body of POST /chat/completions."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.core.chat import (
    Chat,
    Image,
    Opaque,
    Part,
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
from gateway.wire.dialect import Losses

STOPS_MAX = 4  # documented maximum of stop
EFFORTS = {"max": "high"}  # Anthropic's word for more; the highest that all of these models take
LIMITS = ("max_completion_tokens", "max_tokens")  # newer and older name of the same member
# What a message of the role has no place for.
ELSEWHERE: dict[Role, tuple[type[Part], ...]] = {
    Role.SYSTEM: (Image, ToolCall, ToolResult),
    Role.USER: (ToolCall,),
    Role.ASSISTANT: (Image, ToolResult),
}
Json = dict[str, object]


def write(
    chat: Chat, *, model: str, max_tokens: int, omit: tuple[str, ...] = ()
) -> tuple[bytes, tuple[str, ...]]:
    """
    Translate *chat*: the body and what was lost, see ``Losses``.

    Usage is always asked for in a stream: without it the answer cannot be billed. The token limit
    goes by its newer name unless *omit* says that the provider rejects that one.
    """
    losses = Losses()
    body: Json = {"model": model, "messages": _messages(chat.turns, losses)}
    if chat.max_tokens is not None:
        if chat.max_tokens > max_tokens:
            losses.approximated("max_tokens", "clamped")
        limit = LIMITS[1] if LIMITS[0] in omit else LIMITS[0]
        body[limit] = min(chat.max_tokens, max_tokens)
    if chat.tools:
        body["tools"] = [_tool(tool) for tool in chat.tools]
    if chat.tool_choice is not None and chat.tools:
        body["tool_choice"] = _tool_choice(chat.tool_choice)
    elif chat.tool_choice is not None:
        losses.dropped("tool_choice")  # refused without tools
    if chat.response_format is not None:
        body["response_format"] = _response_format(chat.response_format)
    if chat.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    body |= _plain(chat, losses)
    for name in omit:
        if body.pop(name, None) is not None:
            losses.dropped(name, "omitted")
    for name in chat.extra:
        losses.dropped(name)
    return msgspec.json.encode(body), losses.named()


def _plain(chat: Chat, losses: Losses) -> Json:
    """The members that need no translation, where the client set them."""
    if len(chat.stop) > STOPS_MAX:
        losses.approximated("stop", "clamped")
    effort = chat.reasoning_effort
    if effort in EFFORTS:
        losses.approximated("reasoning_effort", "clamped")
        effort = EFFORTS[effort]
    members: Json = {
        "temperature": chat.temperature,
        "top_p": chat.top_p,
        "stop": list(chat.stop[:STOPS_MAX]) or None,
        "n": chat.n if chat.n != 1 else None,
        "parallel_tool_calls": chat.parallel_tools if chat.tools else None,
        "reasoning_effort": effort,
        "user": chat.user,
    }
    return {name: value for name, value in members.items() if value is not None}


def _messages(turns: tuple[Turn, ...], losses: Losses) -> list[Json]:
    messages: list[Json] = []
    for turn in turns:
        for part in turn.parts:
            _note_losses(part, losses)
            if isinstance(part, ELSEWHERE[turn.role]):
                losses.dropped(f"{turn.role.value}.{part.__struct_config__.tag}")
        if turn.role is Role.ASSISTANT:
            messages.append(_assistant(turn.parts))
        elif turn.role is Role.SYSTEM:
            messages.append({"role": "system", "content": joined(turn.parts, "\n\n")})
        else:
            messages += _user(turn.parts, losses)
    return messages


def _note_losses(part: Part, losses: Losses) -> None:
    match part:
        case Thinking():
            losses.dropped("thinking", "model_bound")
        case Opaque(kind=kind):
            losses.dropped(kind)
        case Text(cache_mark=True):
            losses.dropped("cache_control")
        case ToolResult(is_error=True):
            losses.dropped("tool_result.is_error")


def _assistant(parts: tuple[Part, ...]) -> Json:
    calls = [call_of(part) for part in parts if isinstance(part, ToolCall)]
    text = joined(parts, "")
    message: Json = {"role": "assistant", "content": text if text or not calls else None}
    if calls:
        message["tool_calls"] = calls
    return message


def _user(parts: tuple[Part, ...], losses: Losses) -> list[Json]:
    """Results become ``tool`` messages, which must follow the call at once; the rest follows."""
    messages: list[Json] = []
    said: list[Text | Image] = []
    for part in parts:
        if isinstance(part, ToolResult):
            shown = [p for p in part.parts if isinstance(p, Image)]
            for inner in part.parts:
                _note_losses(inner, losses)
            if shown:
                losses.approximated("tool_result.image", "moved")
                said += shown
            text = joined(part.parts, "\n")
            messages.append({"role": "tool", "tool_call_id": part.call_id, "content": text})
        elif isinstance(part, Text | Image):
            said.append(part)
    if said or not messages:
        messages.append({"role": "user", "content": _content(said)})
    return messages


def _content(parts: list[Text | Image]) -> str | list[Json]:
    """A string where a string says it all: not every provider takes parts."""
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_image(p) if isinstance(p, Image) else {"type": "text", "text": p.text} for p in parts]


def _image(image: Image) -> Json:
    url = image.url
    if url is None:
        url = f"data:{image.media_type};base64,{image.data}"
    shown: Json = {"url": url}
    if image.detail is not None:
        shown["detail"] = image.detail
    return {"type": "image_url", "image_url": shown}


def joined(parts: Iterable[Part], separator: str) -> str:
    """The words among *parts*."""
    return separator.join(part.text for part in parts if isinstance(part, Text))


def call_of(call: ToolCall) -> Json:
    """One entry of ``tool_calls``."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _tool(tool: Tool) -> Json:
    function: Json = {"name": tool.name, "parameters": msgspec.Raw(tool.parameters)}
    if tool.description:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> str | Json:
    if choice.kind == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.kind


def _response_format(wanted: ResponseFormat) -> Json:
    if wanted.schema is None:
        return {"type": wanted.kind}
    schema: Json = {"name": wanted.name or "answer", "schema": msgspec.Raw(wanted.schema)}
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}
