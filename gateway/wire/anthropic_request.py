"""Read the body of POST /v1/messages."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw

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
from gateway.wire.decode import NULL, ModelName, check_utf8, decode, given, missing
from gateway.wire.members import unknown
from gateway.wire.openai_request import NO_PARAMETERS, Tokens

CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}


class Source(msgspec.Struct):
    """Where an image is."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class Block(msgspec.Struct):
    """One content block, whatever its type."""

    type: str
    text: str | None = None
    source: Raw = NULL  # an object, but of a search result the address of its page
    id: str | None = None
    name: str | None = None
    input: Raw = NULL
    tool_use_id: str | None = None
    content: Raw = NULL
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    cache_control: Raw = NULL


class Message(msgspec.Struct):
    """One entry of ``messages``."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Raw]


class ToolSpec(msgspec.Struct):
    """One entry of ``tools``; a *type* other than custom runs at the provider."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    input_schema: Raw = NULL
    strict: bool | None = None
    cache_control: Raw = NULL


class ChoiceSpec(msgspec.Struct):
    """``tool_choice``."""

    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Metadata(msgspec.Struct):
    """``metadata``."""

    user_id: str | None = None


class FormatSpec(msgspec.Struct):
    """``output_config.format``."""

    type: str
    schema: Raw = NULL


class OutputConfig(msgspec.Struct):
    """``output_config``."""

    effort: str | None = None
    format: Raw = NULL


class Body(msgspec.Struct):
    """
    The members that have a canonical meaning; the others are kept as ``Chat.extra``. *max_tokens*
    may be missing here, because count_tokens takes the same body without it.
    """

    model: ModelName
    messages: Annotated[list[Message], Meta(min_length=1)]
    system: str | list[Raw] | None = None
    max_tokens: Tokens | None = None
    stream: bool | None = None
    tools: list[Raw] | None = None
    tool_choice: Raw = NULL
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None
    metadata: Metadata | None = None
    output_config: OutputConfig | None = None


BODY = msgspec.json.Decoder(Body)
CHOICE = msgspec.json.Decoder(ChoiceSpec)
BLOCK = msgspec.json.Decoder(Block)
CONTENT = msgspec.json.Decoder(str | list[Raw])
FORMAT = msgspec.json.Decoder(FormatSpec)
SOURCE = msgspec.json.Decoder(Source)
TOOL = msgspec.json.Decoder(ToolSpec)
KNOWN = frozenset(Body.__struct_fields__)


def read(body: bytes) -> Chat:
    """
    The canonical chat of *body*; the system prompt is its first turn.

    Raises:
        InvalidRequest: whatever the bytes; ``param`` names the field.
    """
    check_utf8(body)
    asked = decode(BODY, body)
    extra = unknown(body, KNOWN)
    choice, parallel = _tool_choice(asked.tool_choice, extra)
    output = asked.output_config or OutputConfig()
    return Chat(
        model=asked.model,
        turns=_turns(asked, extra),
        stream=bool(asked.stream),
        include_usage=bool(asked.stream),
        tools=_tools(asked.tools or [], extra),
        tool_choice=choice,
        parallel_tools=parallel,
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        stop=tuple(asked.stop_sequences or ()),
        response_format=_response_format(output.format, extra),
        reasoning_effort=output.effort,
        user=asked.metadata.user_id if asked.metadata else None,
        extra=extra,
    )


def _turns(asked: Body, extra: dict[str, bytes]) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    if system := _parts(asked.system or "", "system", extra):
        turns.append(Turn(Role.SYSTEM, system))
    for row, message in enumerate(asked.messages):
        parts = _parts(message.content, f"messages[{row}].content", extra)
        turns.append(Turn(Role(message.role), parts))
    return tuple(turns)


def _parts(content: str | list[Raw], at: str, extra: dict[str, bytes]) -> tuple[Part, ...]:
    """The parts of ``content``; an empty string has none."""
    if isinstance(content, str):
        return (Text(content),) if content else ()
    return tuple(_part(raw, f"{at}[{row}]", extra) for row, raw in enumerate(content))


def _part(raw: Raw, at: str, extra: dict[str, bytes]) -> Part:
    block = decode(BLOCK, raw, at)
    if block.type != "text" and given(block.cache_control):
        extra[f"{at}.cache_control"] = bytes(block.cache_control)
    match block.type:
        case "text" | "image":
            return _shown(block, raw, at)
        case "tool_use":
            arguments = bytes(block.input).decode() if given(block.input) else "{}"
            return ToolCall(
                _needed(block.id, f"{at}.id"), _needed(block.name, f"{at}.name"), arguments
            )
        case "tool_result":
            call_id = _needed(block.tool_use_id, f"{at}.tool_use_id")
            return ToolResult(call_id, _result(block, f"{at}.content"), bool(block.is_error))
        case "thinking":
            return Thinking(block.thinking or "", block.signature or None)
        case "redacted_thinking":
            return Thinking(block.data or "", redacted=True)
    return Opaque(block.type, bytes(raw))


def _shown(block: Block, raw: Raw, at: str) -> Text | Image | Opaque:
    """A block that may also stand in a tool result."""
    if block.type == "text":
        text = _needed(block.text, f"{at}.text")
        return Text(text, cache_mark=given(block.cache_control))
    if block.type == "image" and given(block.source):
        source = decode(SOURCE, block.source, f"{at}.source")
        if source.type in ("base64", "url"):
            return Image(source.url, source.media_type, source.data)
    return Opaque(block.type, bytes(raw))


def _result(block: Block, at: str) -> tuple[Text | Image | Opaque, ...]:
    if not given(block.content):
        return ()
    content = decode(CONTENT, block.content, at)
    if isinstance(content, str):
        return (Text(content),) if content else ()
    shown = []
    for row, raw in enumerate(content):
        where = f"{at}[{row}]"
        shown.append(_shown(decode(BLOCK, raw, where), raw, where))
    return tuple(shown)


def _needed(value: str | None, at: str) -> str:
    if value is None:
        raise missing(at)
    return value


def _tools(raws: list[Raw], extra: dict[str, bytes]) -> tuple[Tool, ...]:
    """Tools that the client runs; the provider's own go to *extra* by path."""
    tools: list[Tool] = []
    for row, raw in enumerate(raws):
        spec = decode(TOOL, raw, f"tools[{row}]")
        if spec.type not in (None, "custom"):
            extra[f"tools[{row}]"] = bytes(raw)
            continue
        schema = bytes(spec.input_schema) if given(spec.input_schema) else NO_PARAMETERS
        if given(spec.cache_control):
            extra[f"tools[{row}].cache_control"] = bytes(spec.cache_control)
        name = _needed(spec.name, f"tools[{row}].name")
        tools.append(Tool(name, spec.description or "", schema, spec.strict))
    return tuple(tools)


def _tool_choice(raw: Raw, extra: dict[str, bytes]) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether parallel calls are welcome."""
    if not given(raw):
        return None, None
    said = decode(CHOICE, raw, "tool_choice")
    off = said.disable_parallel_tool_use
    choice = None
    if said.type in CHOICES:
        name = _needed(said.name, "tool_choice.name") if said.type == "tool" else None
        choice = ToolChoice(CHOICES[said.type], name)
    else:
        extra["tool_choice"] = bytes(raw)
    return choice, None if off is None else not off


def _response_format(raw: Raw, extra: dict[str, bytes]) -> ResponseFormat | None:
    if not given(raw):
        return None
    spec = decode(FORMAT, raw, "output_config.format")
    if spec.type == "json_schema" and given(spec.schema):
        return ResponseFormat("json_schema", bytes(spec.schema))
    extra["output_config.format"] = bytes(raw)
    return None
