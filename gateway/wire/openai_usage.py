"""
Usage as OpenAI and its many imitators count it.

``prompt_tokens`` includes the cached parts and audio, ``completion_tokens`` includes reasoning and
audio; where an imitator counts otherwise, ``total_tokens`` gives it away.
"""

from __future__ import annotations

import msgspec

from gateway.core.chat import Usage
from gateway.wire.decode import NULL, UNREADABLE
from gateway.wire.openai_usage_cost import reported_pico_usd

Count = int | float | None  # some imitators write 12.0
COUNT_END = 2**31  # whatever a token costs, the ledger can hold so many


class InputDetails(msgspec.Struct, gc=False):
    """Parts of the prompt."""

    cached_tokens: Count = None
    cache_write_tokens: Count = None
    audio_tokens: Count = None


class OutputDetails(msgspec.Struct, gc=False):
    """Parts of the answer."""

    reasoning_tokens: Count = None
    audio_tokens: Count = None


class Counts(msgspec.Struct):
    """The usage object."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    prompt_cache_hit_tokens: Count = None  # DeepSeek's cached_tokens
    cached_tokens: Count = None  # Moonshot's


class Envelope(msgspec.Struct):
    """Any body that carries usage."""

    usage: msgspec.Raw = NULL


COUNTS = msgspec.json.Decoder(Counts)
ENVELOPE = msgspec.json.Decoder(Envelope)


def read_usage(body: bytes) -> Usage | None:
    """Usage of a whole answer, decoding nothing else; None when there is none."""
    try:
        return usage_of(ENVELOPE.decode(body).usage)
    except UNREADABLE:
        return None


def usage_of(raw: msgspec.Raw) -> Usage | None:
    """
    Usage of a usage object's JSON; None when it is missing, null, or counts nothing.

    Nobody says how much of the audio was read from the cache, so as much as can be was not: the
    cached part of a prompt is its beginning, mostly text, and audio is the dearer.
    """
    try:
        counts = COUNTS.decode(raw)
    except UNREADABLE:
        return None
    prompt = counts.prompt_tokens_details or InputDetails()
    answer = counts.completion_tokens_details or OutputDetails()
    read = count_of(prompt.cached_tokens or counts.prompt_cache_hit_tokens or counts.cached_tokens)
    write = count_of(prompt.cache_write_tokens)
    tokens_in, tokens_out, reasoning = _wholes(
        counts, read + write, count_of(answer.reasoning_tokens)
    )
    if tokens_in == 0 and tokens_out == 0:
        return None
    return Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        tokens_cache_read=read,
        tokens_cache_write=write,
        tokens_reasoning=reasoning,
        tokens_audio_in=min(count_of(prompt.audio_tokens), tokens_in - read - write),
        tokens_audio_out=min(count_of(answer.audio_tokens), tokens_out - reasoning),
        reported_pico_usd=reported_pico_usd(raw),
    )


def _wholes(counts: Counts, cached: int, reasoning: int) -> tuple[int, int, int]:
    """
    All of the input, all of the output, and of it reasoning.

    Tokens that only ``total_tokens`` knows of are billed too: when they are exactly the *cached*
    ones, and not those of *reasoning*, the prompt was counted without them (as Anthropic does),
    else they are hidden reasoning that the answer was counted without (xAI, Gemini).
    """
    tokens_in, tokens_out = count_of(counts.prompt_tokens), count_of(counts.completion_tokens)
    excess = count_of(counts.total_tokens) - tokens_in - tokens_out
    if excess > 0 and excess == cached != reasoning:
        tokens_in += excess
    elif excess > 0:
        tokens_out += excess
        reasoning = max(reasoning, excess)
    return max(tokens_in, cached), tokens_out, min(reasoning, tokens_out)


def counts_of(usage: Usage) -> dict[str, object]:
    """The usage object to send to a client."""
    prompt = {"cached_tokens": usage.tokens_cache_read}
    answer = {"reasoning_tokens": usage.tokens_reasoning}
    if usage.tokens_cache_write:
        prompt["cache_write_tokens"] = usage.tokens_cache_write
    if usage.tokens_audio_in:
        prompt["audio_tokens"] = usage.tokens_audio_in
    if usage.tokens_audio_out:
        answer["audio_tokens"] = usage.tokens_audio_out
    return {
        "prompt_tokens": usage.tokens_in,
        "completion_tokens": usage.tokens_out,
        "total_tokens": usage.tokens_in + usage.tokens_out,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": answer,
    }


def count_of(value: Count) -> int:
    """*value* as a count: absent, negative and absurd values are 0."""
    return int(value) if value is not None and 0 < value < COUNT_END else 0
