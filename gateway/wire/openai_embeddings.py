"""The dialect of POST /embeddings: passed through only, and never streamed."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Chat, Role, Turn
from gateway.wire.decode import ModelName, check_utf8, decode
from gateway.wire.members import unknown
from gateway.wire.openai_chat import credentials
from gateway.wire.openai_completions import Prompt, parts_of
from gateway.wire.openai_errors import error_body, read_error, stream_error
from gateway.wire.openai_forward import forward
from gateway.wire.openai_usage import read_usage
from gateway.wire.openai_watch import OpenAIWatch
from gateway.wire.untranslated import Untranslated

__all__ = [
    "credentials", "error_body", "family", "forward", "name", "path", "read", "read_answer",
    "read_error", "read_usage", "stream_error", "stream_reader", "stream_writer", "watch",
    "write", "write_answer",
]  # fmt: skip

name = "openai_embeddings"
family = "openai"
path = "/embeddings"

watch = OpenAIWatch
_refusals = Untranslated("embeddings", name)
write = _refusals.write
read_answer = _refusals.read_answer
write_answer = _refusals.write_answer
stream_reader = _refusals.stream_reader
stream_writer = _refusals.stream_writer


class Body(msgspec.Struct):
    """The members that have a canonical meaning; the others are kept as ``Chat.extra``."""

    model: ModelName
    input: Prompt
    user: str | None = None


BODY = msgspec.json.Decoder(Body)
KNOWN = frozenset(Body.__struct_fields__)


def read(body: bytes) -> Chat:
    """
    The input as one user turn.

    Raises:
        InvalidRequest: whatever the bytes; ``param`` names the field.
    """
    check_utf8(body)
    asked = decode(BODY, body)
    turns = (Turn(Role.USER, parts_of(asked.input)),)
    return Chat(model=asked.model, turns=turns, user=asked.user, extra=unknown(body, KNOWN))
