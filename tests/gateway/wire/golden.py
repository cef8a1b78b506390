"""The golden files: small captures of what clients and providers send, in our own words."""

from __future__ import annotations

from pathlib import Path

from gateway.wire.sse import Splitter

FOLDER = Path(__file__).parents[2] / "contracts" / "golden"
OPENAI_CLEAN = (
    "openai_text.sse",
    "openai_tools.sse",
    "openai_usage_beside_finish.sse",
    "groq_text.sse",
    "openrouter_crlf.sse",
)
ANTHROPIC_CLEAN = ("anthropic_text.sse", "anthropic_tools.sse")
STREAMS = (
    *OPENAI_CLEAN,
    *ANTHROPIC_CLEAN,
    "openai_error.sse",
    "openai_cut.sse",
    "anthropic_error.sse",
    "anthropic_cut.sse",
)


def read(name: str) -> bytes:
    """One golden file."""
    return (FOLDER / name).read_bytes()


def events(name: str) -> list[bytes]:
    """The whole events of a golden stream."""
    return Splitter(1 << 20).feed(read(name))
