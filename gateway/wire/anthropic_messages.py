"""The dialect of POST /v1/messages."""

from __future__ import annotations

from gateway.wire.anthropic_answer import read_answer, write_answer
from gateway.wire.anthropic_errors import error_body, read_error, stream_error
from gateway.wire.anthropic_forward import forward
from gateway.wire.anthropic_request import read
from gateway.wire.anthropic_stream_reader import AnthropicStreamReader
from gateway.wire.anthropic_stream_writer import AnthropicStreamWriter
from gateway.wire.anthropic_usage import read_usage
from gateway.wire.anthropic_watch import AnthropicWatch
from gateway.wire.anthropic_write import write

__all__ = [
    "credentials", "error_body", "family", "forward", "name", "path", "read", "read_answer",
    "read_error", "read_usage", "stream_error", "stream_reader", "stream_writer", "watch",
    "write", "write_answer",
]  # fmt: skip

name = "anthropic_messages"
family = "anthropic"
path = "/v1/messages"  # the base URL excludes the version here

watch = AnthropicWatch
stream_reader = AnthropicStreamReader
stream_writer = AnthropicStreamWriter

VERSION = "2023-06-01"  # 2026-10-21 refuses temperature and top_p, which we translate


def credentials(api_key: str | None) -> tuple[tuple[str, str], ...]:
    """Headers that authenticate us, and the version of what ``write`` writes."""
    key = (("x-api-key", api_key),) if api_key else ()
    return (*key, ("anthropic-version", VERSION))
