"""Write a canonical chat as the body of POST /v1/messages."""

from __future__ import annotations

import re

import msgspec

from gateway.core.chat import (
    Chat,
    Image,
    Opaque,
    Part,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from gateway.wire.dialect import Losses
from gateway.wire.members import edit

CHOICES = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}
EFFORTS = {"minimal": "low"} | {name: name for name in ("low", "medium", "high", "xhigh", "max")}
FOREIGN_ID = re.compile(r"[^a-zA-Z0-9_-]")  # ids of tool calls have no other characters here
OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
JSON_ONLY = "Answer with one JSON object and nothing else."
JSON_SCHEMA = "Answer with one JSON value and nothing else. It satisfies this schema: "
OPENING = "(The conversation begins.)"  # for a conversation that the assistant opens
Json = dict[str, object]


def write(
    chat: Chat, *, model: str, max_tokens: int, omit: tuple[str, ...] = ()
) -> tuple[bytes, tuple[str, ...]]:
    """
    Translate *chat*: the body and what was lost, see ``Losses``.

    A JSON schema goes as native structured output (``output_config.format``): the answer stays
    text, streamed or not, and stands beside the client's own tools, which a forced tool cannot.
    *omit* takes ``output_config.format`` and ``output_config.effort`` too, for older models; the
    schema is then a demand in words, as plain JSON always is.
    """
    losses = Losses()
    if chat.max_tokens is not None and chat.max_tokens > max_tokens:
        losses.approximated("max_tokens", "clamped")
    limit = max_tokens if chat.max_tokens is None else min(chat.max_tokens, max_tokens)
    system, messages = _conversation(chat.turns, losses)
    body: Json = {"model": model, "max_tokens": limit, "messages": messages}
    output = _output_config(chat, omit, losses)
    if chat.response_format is not None and "format" not in output:
        schema = chat.response_format.schema
        demand = JSON_ONLY if schema is None else JSON_SCHEMA + schema.decode()
        system.append({"type": "text", "text": demand})
        losses.approximated("response_format", "converted")
    if system:
        body["system"] = system
    if output:
        body["output_config"] = output
    if chat.tools:
        body["tools"] = [_tool(tool) for tool in chat.tools]
        if chat.tool_choice is not None or chat.parallel_tools is not None:
            body["tool_choice"] = _tool_choice(chat)
    elif chat.tool_choice is not None:
        losses.dropped("tool_choice")  # refused without tools
    body |= _plain(chat, losses)
    for name in omit:
        if body.pop(name, None) is not None:
            losses.dropped(name, "omitted")
    for name in chat.extra:
        losses.dropped(name)
    return msgspec.json.encode(body), losses.named()


def _plain(chat: Chat, losses: Losses) -> Json:
    """The members that need little translation, where the client set them."""
    stops = [stop for stop in chat.stop if not stop.isspace()]
    if len(stops) < len(chat.stop):
        losses.dropped("stop")  # Anthropic refuses stop sequences of white space
    temperature, top_p = chat.temperature, chat.top_p
    if temperature is not None and temperature > 1.0:
        losses.approximated("temperature", "clamped")
        temperature = 1.0
    if temperature is not None and top_p is not None:
        losses.dropped("top_p", "exclusive")  # current models take one of the two
        top_p = None
    if chat.n != 1:
        losses.dropped("n")
    members: Json = {
        "stream": chat.stream or None,
        "stop_sequences": stops or None,
        "temperature": temperature,
        "top_p": top_p,
        "metadata": None if chat.user is None else {"user_id": chat.user},
    }
    return {name: value for name, value in members.items() if value is not None}


def _output_config(chat: Chat, omit: tuple[str, ...], losses: Losses) -> Json:
    config: Json = {}
    effort, wanted = chat.reasoning_effort, chat.response_format
    if effort is not None:
        if effort not in EFFORTS:
            losses.dropped("reasoning_effort")  # "none" too: some models always reason
        elif "output_config.effort" in omit:
            losses.dropped("reasoning_effort", "omitted")
        else:
            config["effort"] = EFFORTS[effort]
            if effort != EFFORTS[effort]:
                losses.approximated("reasoning_effort", "clamped")
    native = "output_config.format" not in omit
    if native and wanted is not None and wanted.schema is not None:
        config["format"] = {"type": "json_schema", "schema": msgspec.Raw(wanted.schema)}
    return config


def _conversation(turns: tuple[Turn, ...], losses: Losses) -> tuple[list[Json], list[Json]]:
    """
    System blocks, and messages whose roles alternate: neighbours of one role are merged. Results
    come first in a message, as Anthropic demands; a later system turn moves to the front. The first
    message must be the user's: a chat of system turns alone becomes one, and one that the assistant
    opens gets an OPENING.
    """
    system: list[Json] = []
    messages: list[tuple[str, list[Json]]] = []
    for turn in turns:
        blocks = [block for part in turn.parts if (block := _block(part, losses)) is not None]
        if turn.role is Role.SYSTEM:
            if messages and blocks:
                losses.approximated("messages.system", "moved")
            system += blocks
        elif blocks and messages and messages[-1][0] == turn.role.value:
            messages[-1][1].extend(blocks)
        elif blocks:
            messages.append((turn.role.value, blocks))
    if system and not messages:
        losses.approximated("messages.system", "converted")
        system, messages = [], [("user", system)]
    elif messages and messages[0][0] != "user":
        losses.approximated("messages", "converted")
        messages.insert(0, ("user", [{"type": "text", "text": OPENING}]))
    for _, blocks in messages:
        blocks.sort(key=lambda block: block["type"] != "tool_result")
    return system, [{"role": role, "content": blocks} for role, blocks in messages]


def _block(part: Part, losses: Losses) -> Json | None:
    """One content block; None for what means nothing here: text without words is refused."""
    match part:
        case Text():
            return _text(part) if part.text.strip() else None
        case Image():
            return _image(part, losses)
        case ToolCall():
            return call_block(part, losses)
        case ToolResult():
            return _result(part, losses)
        case Thinking():
            losses.dropped("thinking", "model_bound")
        case Opaque(kind=kind):
            losses.dropped(kind)
    return None


def _text(text: Text) -> Json:
    block: Json = {"type": "text", "text": text.text}
    if text.cache_mark:
        block["cache_control"] = {"type": "ephemeral"}
    return block


def _image(image: Image, losses: Losses) -> Json:
    if image.detail not in (None, "auto"):
        losses.dropped("image_url.detail")
    source: Json = {"type": "url", "url": image.url}
    if image.url is None:
        source = {"type": "base64", "media_type": image.media_type, "data": image.data}
    return {"type": "image", "source": source}


def call_block(call: ToolCall, losses: Losses) -> Json:
    """A ``tool_use`` block. Arguments that are no JSON object are wrapped in one."""
    arguments: object = msgspec.Raw(call.arguments.encode("utf-8", "replace"))
    try:
        OBJECT.decode(call.arguments or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        losses.approximated("tool_calls.function.arguments", "converted")
        arguments = {"arguments": call.arguments}
    if not call.arguments:
        arguments = {}
    return {"type": "tool_use", "id": call_id_of(call.id), "name": call.name, "input": arguments}


def _result(result: ToolResult, losses: Losses) -> Json:
    inner = [made for part in result.parts if (made := _block(part, losses)) is not None]
    call_id = call_id_of(result.call_id)
    block: Json = {"type": "tool_result", "tool_use_id": call_id, "content": inner}
    if len(inner) == 1 and inner[0].keys() == {"type", "text"}:
        block["content"] = inner[0]["text"]
    if result.is_error:
        block["is_error"] = True
    return block


def call_id_of(call_id: str) -> str:
    """An id that this dialect takes, the same for a call and its result, so both may be changed."""
    return FOREIGN_ID.sub("_", call_id) or "_"


def _tool(tool: Tool) -> Json:
    spec: Json = {"name": tool.name, "input_schema": msgspec.Raw(_schema(tool.parameters))}
    if tool.description:
        spec["description"] = tool.description
    if tool.strict is not None:
        spec["strict"] = tool.strict
    return spec


def _schema(parameters: bytes) -> bytes:
    """*parameters* with the ``type`` that is demanded here and often left out elsewhere."""
    try:
        typed = "type" in OBJECT.decode(parameters)
    except (msgspec.DecodeError, RecursionError):
        return parameters  # no object: for the upstream to refuse
    return parameters if typed else edit(parameters, {"type": b'"object"'})


def _tool_choice(chat: Chat) -> Json:
    asked = chat.tool_choice
    choice: Json = {"type": CHOICES[asked.kind] if asked else "auto"}
    if asked is not None and asked.kind == "named":
        choice["name"] = asked.name
    if chat.parallel_tools is not None and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = not chat.parallel_tools
    return choice
