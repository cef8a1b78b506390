"""Simulated answers of the legacy endpoint, whole or streamed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from gateway.core.chat import Chat, Text, Usage
from gateway.core.errors import InvalidRequest
from gateway.core.request import Kind
from gateway.simulated.chats import tokens_in_of
from gateway.simulated.reply import Reply
from gateway.simulated.words import Said, about, cut
from gateway.wire import openai_completions, sse
from gateway.wire.openai_usage import counts_of

MAX_TOKENS = 16  # documented default of this endpoint
CHOICES_MAX = 256  # prompts times n in one request
Json = dict[str, object]


def reply_to_completion(body: bytes, created_s: int) -> Reply:
    """
    The reply to *body*.

    Raises:
        InvalidRequest: the dialect cannot read it, or it asks for more than CHOICES_MAX answers.
    """
    chat = openai_completions.read(body)
    choices = choices_of(chat)
    tokens_out = sum(len(choice.said.tokens) for choice in choices)
    usage = Usage(tokens_in_of(chat, Kind.COMPLETION), tokens_out)
    head: Json = {
        "id": "cmpl-" + hashlib.blake2b(body, digest_size=12).hexdigest(),
        "object": "text_completion",
        "created": created_s,
        "model": chat.model,
    }
    if chat.stream:
        return Reply(chat.model, tokens=tokens_out, pieces=_stream(chat, head, choices, usage))
    rows = [
        entry(row, choice.echo + choice.said.text, choice.said.finish.value)
        for row, choice in enumerate(choices)
    ]
    whole = {**head, "choices": rows, "usage": counts_of(usage)}
    return Reply(chat.model, msgspec.json.encode(whole), tokens_out)


class Choice(msgspec.Struct, frozen=True):
    """One answer, behind the prompt where ``echo`` asks for it."""

    echo: str
    said: Said


def choices_of(chat: Chat) -> list[Choice]:
    """An answer to each prompt, n times."""
    prompts = [part.text if isinstance(part, Text) else "" for part in chat.turns[0].parts] or [""]
    if len(prompts) * chat.n > CHOICES_MAX:
        raise InvalidRequest(
            f"{len(prompts)} prompts, {chat.n} answers each, are more than {CHOICES_MAX}.",
            param="n",
        )
    limit = MAX_TOKENS if chat.max_tokens is None else chat.max_tokens
    echoed = chat.extra.get("echo") == b"true"
    return [
        Choice(
            prompt if echoed else "",
            cut(about(chat.model, "You asked", prompt, choice), chat.stop, limit),
        )
        for prompt in prompts
        for choice in range(chat.n)
    ]


def entry(index: int, text: str, finish: str | None) -> Json:
    """One entry of ``choices``."""
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _stream(chat: Chat, head: Json, choices: list[Choice], usage: Usage) -> Iterator[bytes]:
    """One event a token, the choices one after the other."""
    told: Json = {"usage": None} if chat.include_usage else {}
    for row, choice in enumerate(choices):
        for piece in (choice.echo, *choice.said.tokens):
            if piece:
                yield _event({**head, "choices": [entry(row, piece, None)], **told})
        finish = choice.said.finish.value
        yield _event({**head, "choices": [entry(row, "", finish)], **told})
    end = sse.event_of(b"[DONE]")
    if chat.include_usage:
        end = _event({**head, "choices": [], "usage": counts_of(usage)}) + end
    yield end


def _event(chunk: Json) -> bytes:
    return sse.event_of(msgspec.json.encode(chunk))
