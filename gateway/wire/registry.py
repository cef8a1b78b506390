"""Every dialect by name."""

from __future__ import annotations

from gateway.wire import anthropic_messages, openai_chat, openai_completions, openai_embeddings
from gateway.wire.dialect import Dialect

DIALECTS: dict[str, Dialect] = {
    "openai_chat": openai_chat,
    "openai_completions": openai_completions,
    "openai_embeddings": openai_embeddings,
    "anthropic_messages": anthropic_messages,
}
