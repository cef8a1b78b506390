"""The dialect of POST /chat/completions, OpenAI's and that of most others."""

from __future__ import annotations

from gateway.wire.openai_answer import read_answer, write_answer
from gateway.wire.openai_errors import error_body, read_error, stream_error
from gateway.wire.openai_forward import forward
from gateway.wire.openai_request import read
from gateway.wire.openai_stream import OpenAIStreamReader, OpenAIStreamWriter
from gateway.wire.openai_usage import read_usage
from gateway.wire.openai_watch import OpenAIWatch
from gateway.wire.openai_write import write

__all__ = [
    "credentials", "error_body", "family", "forward", "name", "path", "read", "read_answer",
    "read_error", "read_usage", "stream_error", "stream_reader", "stream_writer", "watch",
    "write", "write_answer",
]  # fmt: skip

name = "openai_chat"
family = "openai"
path = "/chat/completions"

watch = OpenAIWatch
stream_reader = OpenAIStreamReader
stream_writer = OpenAIStreamWriter


def credentials(api_key: str | None) -> tuple[tuple[str, str], ...]:
    """Headers that authenticate us."""
    return (("authorization", f"Bearer {api_key}"),) if api_key else ()
