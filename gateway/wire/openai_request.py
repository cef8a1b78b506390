"""Read the body of POST /chat/completions."""

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

Tokens = Annotated[int, Meta(ge=0, lt=2**31)]  # what the kernels can multiply by a price
Choices = Annotated[int, Meta(ge=1, le=128)]  # documented maximum of n


class Function(msgspec.Struct):
    """A called function."""

    name: str
    arguments: str = ""


class Call(msgspec.Struct):
    """One entry of ``tool_calls``; without *function* it is of a kind we do not know."""

    id: str = ""
    type: str = "function"
    function: Function | None = None


class Message(msgspec.Struct):
    """One entry of ``messages``."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Raw] | None = None
    name: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None  # DeepSeek, vLLM and others
    tool_calls: list[Raw] | None = None
    tool_call_id: str | None = None
    function_call: Function | None = None  # before there were tools


class ImageUrl(msgspec.Struct):
    """Where an image is; also ``data:`` URLs."""

    url: str
    detail: str | None = None


class ContentPart(msgspec.Struct):
    """One entry of ``content``."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | str | None = None
    cache_control: Raw = NULL  # OpenRouter and others pass it on to Anthropic


class FunctionSpec(msgspec.Struct):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: Raw = NULL
    strict: bool | None = None


class ToolSpec(msgspec.Struct):
    """One entry of ``tools``; without *function* it is of a kind we do not know."""

    type: str = "function"
    function: FunctionSpec | None = None


class NamedFunction(msgspec.Struct):
    """A function by name."""

    name: str


class ChoiceSpec(msgspec.Struct):
    """``tool_choice`` as an object."""

    type: str
    function: NamedFunction | None = None


class JsonSchema(msgspec.Struct):
    """The schema of a response format."""

    name: str | None = None
    schema: Raw = NULL
    strict: bool | None = None


class FormatSpec(msgspec.Struct):
    """``response_format``."""

    type: str
    json_schema: JsonSchema | None = None


class StreamOptions(msgspec.Struct):
    """``stream_options``."""

    include_usage: bool | None = None


class Body(msgspec.Struct):
    """The members that have a canonical meaning; the others are kept as ``Chat.extra``."""

    model: ModelName
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[Raw] | None = None
    tool_choice: str | ChoiceSpec | None = None
    parallel_tool_calls: bool | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    n: Choices | None = None
    response_format: FormatSpec | None = None
    reasoning_effort: str | None = None
    user: str | None = None


BODY = msgspec.json.Decoder(Body)
CALL = msgspec.json.Decoder(Call)
PART = msgspec.json.Decoder(ContentPart)
TOOL = msgspec.json.Decoder(ToolSpec)
KNOWN = frozenset(Body.__struct_fields__)
ROLES = {**{role.value: role for role in Role}, "developer": Role.SYSTEM}  # tools have no turn
NO_PARAMETERS = b'{"type":"object","properties":{}}'


def read(body: bytes) -> Chat:
    """
    The canonical chat of *body*. A refusal in the history reads as text.

    Raises:
        InvalidRequest: whatever the bytes; ``param`` names the field.
    """
    check_utf8(body)
    asked = decode(BODY, body)
    extra = unknown(body, KNOWN)
    tools = _tools(asked.tools or [], extra)
    return Chat(
        model=asked.model,
        turns=_turns(asked.messages, extra),
        stream=bool(asked.stream),
        include_usage=bool(asked.stream_options and asked.stream_options.include_usage),
        tools=tools,
        tool_choice=_tool_choice(asked.tool_choice, extra),
        parallel_tools=asked.parallel_tool_calls,
        max_tokens=_first(asked.max_completion_tokens, asked.max_tokens),
        temperature=asked.temperature,
        top_p=asked.top_p,
        stop=(asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ()),
        n=asked.n or 1,
        response_format=_response_format(asked.response_format, extra),
        reasoning_effort=asked.reasoning_effort,
        user=asked.user,
        extra=extra,
    )


def _first(wish: int | None, older: int | None) -> int | None:
    return older if wish is None else wish


def _turns(messages: list[Message], extra: dict[str, bytes]) -> tuple[Turn, ...]:
    """One turn a message, but the results of parallel calls are one turn, as one answer was."""
    turns: list[Turn] = []
    results: list[Part] = []
    for row, message in enumerate(messages):
        at = f"messages[{row}]"
        if message.role in ("tool", "function"):
            results.append(_result(message, at))
            continue
        if results:
            turns.append(Turn(Role.USER, tuple(results)))
            results = []
        if message.name is not None:
            extra[f"{at}.name"] = msgspec.json.encode(message.name)
        turns.append(_turn(message, at))
    if results:
        turns.append(Turn(Role.USER, tuple(results)))
    return tuple(turns)


def _turn(message: Message, at: str) -> Turn:
    parts: list[Part] = []
    if message.reasoning_content:
        parts.append(Thinking(message.reasoning_content))
    parts += read_content(message.content, f"{at}.content")
    if message.refusal:
        parts.append(Text(message.refusal))
    for row, raw in enumerate(message.tool_calls or ()):
        parts.append(_call(raw, f"{at}.tool_calls[{row}]"))
    if message.function_call is not None:
        called = message.function_call
        parts.append(ToolCall(called.name, called.name, called.arguments))
    return Turn(ROLES[message.role], tuple(parts))


def _call(raw: Raw, at: str) -> Part:
    call = decode(CALL, raw, at)
    if call.function is None:
        return Opaque(call.type, bytes(raw))
    return ToolCall(call.id, call.function.name, call.function.arguments)


def _result(message: Message, at: str) -> ToolResult:
    """A ``function`` message knows no call id: its name takes the place, as in its call."""
    call_id = message.tool_call_id if message.role == "tool" else message.name
    if call_id is None:
        raise missing(f"{at}.{'tool_call_id' if message.role == 'tool' else 'name'}")
    parts = read_content(message.content, f"{at}.content")
    return ToolResult(call_id, tuple(parts))


def read_content(content: str | list[Raw] | None, at: str) -> list[Text | Image | Opaque]:
    """The parts of ``content``; an empty string has none."""
    if content is None or isinstance(content, str):
        return [Text(content)] if content else []
    return [_part(raw, f"{at}[{row}]") for row, raw in enumerate(content)]


def _part(raw: Raw, at: str) -> Text | Image | Opaque:
    part = decode(PART, raw, at)
    if part.type in ("text", "input_text"):
        if part.text is None:
            raise missing(f"{at}.text")
        return Text(part.text, cache_mark=given(part.cache_control))
    if part.type == "image_url" and part.image_url is not None:
        return _image(part.image_url)
    if part.type == "refusal" and part.refusal is not None:
        return Text(part.refusal)
    return Opaque(part.type, bytes(raw))


def _image(image: ImageUrl | str) -> Image:
    if isinstance(image, str):
        image = ImageUrl(image)
    head, comma, data = image.url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        media_type = head[len("data:") : -len(";base64")]
        return Image(media_type=media_type, data=data, detail=image.detail)
    return Image(url=image.url, detail=image.detail)


def _tools(raws: list[Raw], extra: dict[str, bytes]) -> tuple[Tool, ...]:
    """Function tools; others go to *extra* by path."""
    tools: list[Tool] = []
    for row, raw in enumerate(raws):
        spec = decode(TOOL, raw, f"tools[{row}]")
        if spec.function is None:
            extra[f"tools[{row}]"] = bytes(raw)
            continue
        made = spec.function
        schema = bytes(made.parameters) if given(made.parameters) else NO_PARAMETERS
        tools.append(Tool(made.name, made.description or "", schema, made.strict))
    return tuple(tools)


def _tool_choice(choice: str | ChoiceSpec | None, extra: dict[str, bytes]) -> ToolChoice | None:
    if choice is None:
        return None
    if choice in ("auto", "none", "required"):
        return ToolChoice(str(choice))
    if isinstance(choice, ChoiceSpec) and choice.function is not None:
        return ToolChoice("named", choice.function.name)
    extra["tool_choice"] = msgspec.json.encode(choice)  # custom or allowed_tools
    return None


def _response_format(spec: FormatSpec | None, extra: dict[str, bytes]) -> ResponseFormat | None:
    if spec is None or spec.type == "text":
        return None
    if spec.type == "json_object":
        return ResponseFormat("json_object")
    wanted = spec.json_schema
    if spec.type != "json_schema" or wanted is None or not given(wanted.schema):
        extra["response_format"] = msgspec.json.encode(spec)
        return None
    return ResponseFormat("json_schema", bytes(wanted.schema), wanted.name, wanted.strict)
