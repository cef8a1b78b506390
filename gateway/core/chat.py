"""
The canonical form of a chat request, its answer and its stream.

Every dialect reads into these and writes from them, so N dialects need N modules and not N x N.
A request whose client and upstream speak the same dialect never passes through here on the wire;
the canonical form is then only read, for signals.
"""

from __future__ import annotations

import enum

import msgspec


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words. *cache_mark*: the client asks the upstream to cache the prefix that ends here."""

    text: str
    cache_mark: bool = False


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A picture, by *url* or inline as base64 *data* with its *media_type*."""

    url: str | None = None
    media_type: str | None = None
    data: str | None = None
    detail: str | None = None


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """The assistant calls a tool. *arguments* is JSON text, exactly as it was streamed."""

    id: str
    name: str
    arguments: str


class Thinking(msgspec.Struct, frozen=True, tag="thinking"):
    """Reasoning of a model. The *signature* is bound to the model family that wrote it."""

    text: str
    signature: str | None = None
    redacted: bool = False  # text is then an opaque blob


class Opaque(msgspec.Struct, frozen=True, tag="opaque"):
    """A content part that only its own dialect understands (audio, files, documents)."""

    kind: str
    json: bytes


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result"):
    """What a tool answered; *call_id* names the call."""

    call_id: str
    parts: tuple[Text | Image | Opaque, ...]
    is_error: bool = False


Part = Text | Image | ToolCall | ToolResult | Thinking | Opaque


class Role(enum.StrEnum):
    """Who speaks. Dialects map ``developer`` to SYSTEM and ``tool`` to a USER turn of results."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Turn(msgspec.Struct, frozen=True):
    """One message."""

    role: Role
    parts: tuple[Part, ...]


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call. *parameters* is its JSON schema as bytes."""

    name: str
    description: str = ""
    parameters: bytes = b'{"type":"object","properties":{}}'
    strict: bool | None = None


class ToolChoice(msgspec.Struct, frozen=True):
    """*kind*: auto, none, required, or named (then *name* is the tool)."""

    kind: str = "auto"
    name: str | None = None


class ResponseFormat(msgspec.Struct, frozen=True):
    """*kind*: json_object or json_schema (then *schema* is JSON bytes and *name* its name)."""

    kind: str
    schema: bytes | None = None
    name: str | None = None
    strict: bool | None = None


class Chat(msgspec.Struct, frozen=True):
    """
    One chat request. None means that the client said nothing, so the upstream's default holds.

    *extra* keeps what has no canonical meaning, as JSON bytes: members of the body by name, deeper
    things by path (``tools[2]``: a tool that is no function). They survive inside a dialect and
    are named in the warnings when a translation drops them.
    """

    model: str
    turns: tuple[Turn, ...]
    stream: bool = False
    include_usage: bool = False
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    user: str | None = None
    extra: dict[str, bytes] = {}


class Finish(enum.StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


class Usage(msgspec.Struct, frozen=True):
    """
    Tokens of an answer. The parts of the input sum to it: *tokens_in* includes both cache parts
    and audio beside them, and *tokens_out* includes reasoning and audio, whatever the dialect
    counts (see each dialect). No part overlaps another, so that each token has one price.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cache_read: int = 0
    tokens_cache_write: int = 0
    tokens_reasoning: int = 0
    estimated: bool = False  # the upstream reported none; ours is a count of the text
    tokens_audio_in: int = 0  # neither read from a cache nor written to one
    tokens_audio_out: int = 0  # besides reasoning
    tokens_cache_write_1h: int = 0  # of *tokens_cache_write*, what is kept for an hour
    web_searches: int = 0  # that the provider ran for the answer
    reported_pico_usd: int = 0  # what the provider says that it charges; 0: it does not say


class Answer(msgspec.Struct, frozen=True):
    """One whole answer. *choices* holds the parts of each choice, in order (n > 1: several)."""

    id: str
    model: str
    choices: tuple[tuple[Part, ...], ...]
    finishes: tuple[Finish, ...]
    usage: Usage
    created_s: int = 0
    stop_sequence: str | None = None


class Started(msgspec.Struct, frozen=True):
    """First event of a stream. *usage* holds what is known of the input so far."""

    id: str
    model: str
    usage: Usage = Usage()


class TextDelta(msgspec.Struct, frozen=True):
    """More words."""

    text: str


class ThinkingDelta(msgspec.Struct, frozen=True):
    """More reasoning, or its signature at the end."""

    text: str = ""
    signature: str | None = None


class ToolStarted(msgspec.Struct, frozen=True):
    """The *index*-th tool call of the answer begins."""

    index: int
    id: str
    name: str


class ToolDelta(msgspec.Struct, frozen=True):
    """More argument JSON for the *index*-th tool call."""

    index: int
    arguments: str


class Finished(msgspec.Struct, frozen=True):
    """
    Why the answer ended, and what it used so far. May come more than once (a finish reason, then
    usage): the last of each counts.
    """

    finish: Finish | None = None
    usage: Usage | None = None
    stop_sequence: str | None = None


class Ended(msgspec.Struct, frozen=True):
    """The upstream closed its stream as the dialect prescribes ([DONE], message_stop)."""


class Failed(msgspec.Struct, frozen=True):
    """The upstream reported an error inside the stream."""

    message: str
    kind: str = "api_error"


StreamEvent = (
    Started | TextDelta | ThinkingDelta | ToolStarted | ToolDelta | Finished | Ended | Failed
)
