"""Tests of gateway.wire.anthropic_count."""

from __future__ import annotations

from gateway.wire import anthropic_count, anthropic_messages


def test_write_count() -> None:
    """The answer is one number."""
    assert anthropic_count.write_count(12) == b'{"input_tokens":12}'


def test_a_count_needs_no_max_tokens() -> None:
    """The body is that of a message, which the dialect reads without the member it lacks."""
    chat = anthropic_messages.read(b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}')

    assert chat.max_tokens is None
    assert anthropic_count.path.startswith(anthropic_messages.path)
