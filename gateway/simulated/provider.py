"""One request to the simulated provider: which endpoint it is for, and the errors of that one."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from gateway.core.errors import ClientError, MethodNotAllowed, NotFound
from gateway.simulated.chat_replies import reply_to_chat
from gateway.simulated.chats import tokens_in_of
from gateway.simulated.completions import reply_to_completion
from gateway.simulated.embeddings import reply_to_embedding
from gateway.simulated.reply import Reply
from gateway.wire import (
    anthropic_count,
    anthropic_messages,
    openai_chat,
    openai_completions,
    openai_embeddings,
)
from gateway.wire.dialect import Dialect

Endpoint = Callable[[bytes, int], Reply]  # body and time of the answer


def _openai(body: bytes, created_s: int) -> Reply:
    return reply_to_chat(openai_chat, body, created_s)


def _anthropic(body: bytes, created_s: int) -> Reply:
    return reply_to_chat(anthropic_messages, body, created_s)


def _count(body: bytes, created_s: int) -> Reply:
    chat = anthropic_messages.read(body)
    return Reply(chat.model, anthropic_count.write_count(tokens_in_of(chat)))


ENDPOINTS: dict[str, Endpoint] = {
    openai_chat.path: _openai,
    openai_completions.path: reply_to_completion,
    openai_embeddings.path: reply_to_embedding,
    anthropic_messages.path: _anthropic,
    anthropic_count.path: _count,
}


def reply_to(method: str, url: str, body: bytes, *, created_s: int, request_id: str) -> Reply:
    """
    The reply to a request for *url*, ``simulated://provider/path``. What the provider would
    refuse is a reply too: 400 a bad body, 404 an unknown path, in its own words.
    """
    asked = urlsplit(url)
    try:
        return endpoint_of(method, asked.path)(body, created_s)
    except ClientError as error:
        status, refusal = dialect_of(asked.netloc, asked.path).error_body(error, request_id)
        return Reply("", refusal, status=status)


def endpoint_of(method: str, path: str) -> Endpoint:
    """What answers *method* on *path*. Raises NotFound or MethodNotAllowed."""
    if path not in ENDPOINTS:
        raise NotFound(f"The simulated provider has no {path}: it answers {', '.join(ENDPOINTS)}.")
    if method != "POST":
        raise MethodNotAllowed(f"{path} takes POST, not {method}.")
    return ENDPOINTS[path]


def dialect_of(provider: str, path: str) -> Dialect:
    """The dialect of the errors of *path* at *provider*."""
    anthropic = provider == "anthropic" or path.startswith(anthropic_messages.path)
    return anthropic_messages if anthropic else openai_chat
