"""Simulated answers to chats as bytes of their dialect, whole or streamed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import msgspec

from gateway.core.chat import (
    Answer,
    Chat,
    Ended,
    Finished,
    Started,
    StreamEvent,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolDelta,
    ToolStarted,
    Usage,
)
from gateway.simulated.chats import answer_chat, tokens_of_part
from gateway.simulated.reply import Reply
from gateway.simulated.words import tokens_of
from gateway.wire import sse
from gateway.wire.decode import missing
from gateway.wire.dialect import Dialect

NO_LOGPROBS = b'"logprobs":null'  # with these quotes never part of the words
FIRST_CHOICE = b'"choices":[{"index":0,'
PROBABILITY_MIN = 0.2  # of a simulated token
TOP_LOGPROBS_MAX = 20  # documented maximum
OTHERS = tuple(f" {letter}" for letter in "abcdefghijklmnopqrstu")  # what it could have said


class Logprob(msgspec.Struct):
    """One token and how likely it was."""

    token: str
    logprob: float
    bytes: list[int]


class Token(Logprob):
    """A token that was said, and the likeliest in its place."""

    top_logprobs: list[Logprob]


def reply_to_chat(dialect: Dialect, body: bytes, created_s: int) -> Reply:
    """
    The reply to *body*.

    Raises:
        InvalidRequest: the dialect cannot read it, or demands a member that is not there.
    """
    chat = dialect.read(body)
    anthropic = dialect.family == "anthropic"
    if anthropic and chat.max_tokens is None:
        raise missing("max_tokens")
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    answer = answer_chat(chat, ("msg_" if anthropic else "chatcmpl-") + digest, created_s)
    if chat.stream:
        pieces = stream(dialect, chat, answer)
        return Reply(chat.model, tokens=answer.usage.tokens_out, pieces=pieces)
    whole = dialect.write_answer(answer, chat.model)
    if _wants_logprobs(chat):
        for parts in answer.choices:
            text = "".join(part.text for part in parts if isinstance(part, Text))
            whole = whole.replace(NO_LOGPROBS, logprobs_of(tokens_of(text), chat), 1)
    return Reply(chat.model, whole, answer.usage.tokens_out)


def stream(dialect: Dialect, chat: Chat, answer: Answer) -> Iterator[bytes]:
    """The events of *answer*, one token each; of n choices one after the other."""
    last = len(answer.choices) - 1
    for choice in range(last + 1):
        writer = dialect.stream_writer(
            answer.id,
            chat.model,
            created_s=answer.created_s,
            include_usage=chat.include_usage,
        )
        opening = b""
        for event in events_of(answer, choice):
            piece = writer.write(event)
            if isinstance(event, Started):
                opening = piece
                continue
            if isinstance(event, Ended) and choice < last:
                piece = _only_first(piece)
            if isinstance(event, TextDelta) and _wants_logprobs(chat):
                piece = piece.replace(NO_LOGPROBS, logprobs_of((event.text,), chat))
            if piece:
                whole, opening = opening + piece, b""
                yield whole.replace(FIRST_CHOICE, b'"choices":[{"index":%d,' % choice)


def events_of(answer: Answer, choice: int) -> Iterator[StreamEvent]:
    """One choice as canonical events, one token each."""
    yield Started(answer.id, answer.model, Usage(answer.usage.tokens_in))
    calls = 0
    for part in answer.choices[choice]:
        if isinstance(part, ToolCall):
            yield ToolStarted(calls, part.id, part.name)
            for token in tokens_of_part(part):
                yield ToolDelta(calls, token)
            calls += 1
        elif isinstance(part, Thinking):
            yield ThinkingDelta(part.text, part.signature)
        else:
            for token in tokens_of_part(part):
                yield TextDelta(token)
    yield Finished(answer.finishes[choice], answer.usage, answer.stop_sequence)
    yield Ended()


def _only_first(events: bytes) -> bytes:
    """The finish reason of a choice after which others follow, without usage and end."""
    return sse.Splitter(len(events)).feed(events)[0]


def _wants_logprobs(chat: Chat) -> bool:
    return chat.extra.get("logprobs") == b"true"


def logprobs_of(tokens: tuple[str, ...], chat: Chat) -> bytes:
    """The member ``logprobs`` for *tokens*, each with as many alternatives as the client wants."""
    wanted = chat.extra.get("top_logprobs", b"0")
    count = min(int(wanted), TOP_LOGPROBS_MAX) if wanted.isdigit() else 0
    content = []
    for token in tokens:
        share = PROBABILITY_MIN + (1 - PROBABILITY_MIN) * (sum(token.encode()) % 100) / 100
        others = [other for other in OTHERS if other != token][: max(0, count - 1)]
        shares = [share, *((1 - share) / 2**row for row in range(1, len(others) + 1))]
        entries = [_logprob(*pair) for pair in zip((token, *others), shares, strict=True)]
        own, likeliest = entries[0], sorted(entries, key=lambda one: -one.logprob)
        content.append(Token(own.token, own.logprob, own.bytes, likeliest[:count]))
    return b'"logprobs":' + msgspec.json.encode({"content": content, "refusal": None})


def _logprob(token: str, share: float) -> Logprob:
    return Logprob(token, math.log(share), list(token.encode()))
