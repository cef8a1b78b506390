"""Signals of a request that could not be read: its size, and what the client says of the answer."""

from __future__ import annotations

from gateway.core.chat import Chat
from gateway.core.fleet import Capability
from gateway.core.signals import Signals

BYTES_PER_TOKEN = 4


def unread_signals(chat: Chat, body_bytes: int) -> Signals:
    """What *chat*, of which nobody knows more than the size of its body, is taken for."""
    return Signals(
        tokens_in=body_bytes // BYTES_PER_TOKEN,
        tokens_system=0,
        system_prompt_chars=0,
        turns=len(chat.turns),
        asks=0,
        needs=Capability.NONE,
        has_tools=False,
        has_vision=False,
        requires_json=False,
        has_code=False,
        has_math=False,
        questions=0,
        constraints=0,
        words=0,
        script="",
        language="",
        max_tokens=chat.max_tokens,
        stream=chat.stream,
        agent_continuation=False,
        excerpt_chars=0,
        excerpt_truncated=False,
    )
