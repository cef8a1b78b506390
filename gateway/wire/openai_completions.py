"""The dialect of POST /completions, the legacy endpoint: passed through only."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Chat, Opaque, Part, Role, Text, Turn
from gateway.wire.decode import ModelName, check_utf8, decode
from gateway.wire.members import unknown
from gateway.wire.openai_chat import credentials
from gateway.wire.openai_errors import error_body, read_error, stream_error
from gateway.wire.openai_forward import forward
from gateway.wire.openai_request import Choices, StreamOptions, Tokens
from gateway.wire.openai_usage import read_usage
from gateway.wire.openai_watch import COMPLETION_WORDS, OpenAIWatch
from gateway.wire.untranslated import Untranslated

__all__ = [
    "credentials", "error_body", "family", "forward", "name", "path", "read", "read_answer",
    "read_error", "read_usage", "stream_error", "stream_reader", "stream_writer", "watch",
    "write", "write_answer",
]  # fmt: skip

name = "openai_completions"
family = "openai"
path = "/completions"

Prompt = str | list[str | int | list[int]] | None

_refusals = Untranslated("completions", name)
write = _refusals.write
read_answer = _refusals.read_answer
write_answer = _refusals.write_answer
stream_reader = _refusals.stream_reader
stream_writer = _refusals.stream_writer


class Body(msgspec.Struct):
    """The members that have a canonical meaning; the others are kept as ``Chat.extra``."""

    model: ModelName
    prompt: Prompt = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    n: Choices | None = None
    user: str | None = None


BODY = msgspec.json.Decoder(Body)
KNOWN = frozenset(Body.__struct_fields__)


def read(body: bytes) -> Chat:
    """
    The prompt as one user turn.

    Raises:
        InvalidRequest: whatever the bytes; ``param`` names the field.
    """
    check_utf8(body)
    asked = decode(BODY, body)
    return Chat(
        model=asked.model,
        turns=(Turn(Role.USER, parts_of(asked.prompt)),),
        stream=bool(asked.stream),
        include_usage=bool(asked.stream_options and asked.stream_options.include_usage),
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        stop=(asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ()),
        n=asked.n or 1,
        user=asked.user,
        extra=unknown(body, KNOWN),
    )


def parts_of(prompt: Prompt) -> tuple[Part, ...]:
    """A text a prompt; prompts of token ids are kept unread."""
    if isinstance(prompt, str):
        return (Text(prompt),)
    parts: list[Part] = [Text(entry) for entry in prompt or () if isinstance(entry, str)]
    ids = [entry for entry in prompt or () if not isinstance(entry, str)]
    if ids:
        parts.append(Opaque("tokens", msgspec.json.encode(ids)))
    return tuple(parts)


def watch() -> OpenAIWatch:
    """For a stream that is passed through."""
    return OpenAIWatch(COMPLETION_WORDS)
