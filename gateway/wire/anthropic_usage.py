"""
Usage as Anthropic counts it: ``input_tokens`` EXCLUDES both cache parts, ours includes them.

In a stream the counts are cumulative: ``message_delta`` overrides, field by field, what
``message_start`` said. With tools that run at the provider its totals are larger than the breakdown
of ``message_start``, which covers the first round only.
"""

from __future__ import annotations

import msgspec

from gateway.core.chat import Usage
from gateway.wire.decode import NULL, UNREADABLE
from gateway.wire.openai_usage import Count, count_of


class OutputDetails(msgspec.Struct, gc=False):
    """Parts of the answer."""

    thinking_tokens: Count = None


class CacheCreation(msgspec.Struct, gc=False):
    """Writes to the cache, by how long they are kept."""

    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None


class ServerTools(msgspec.Struct, gc=False):
    """What ran at the provider and is billed by the piece."""

    web_search_requests: Count = None


class Counts(msgspec.Struct):
    """The usage object; None is "not said here", in a stream an earlier value holds."""

    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    output_tokens_details: OutputDetails | None = None
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerTools | None = None


class Envelope(msgspec.Struct):
    """Any body that carries usage."""

    usage: msgspec.Raw = NULL


INPUTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
COUNTS = msgspec.json.Decoder(Counts)
ENVELOPE = msgspec.json.Decoder(Envelope)


def read_usage(body: bytes) -> Usage | None:
    """Usage of a whole answer, decoding nothing else; None when there is none."""
    try:
        counts = read_counts(ENVELOPE.decode(body).usage)
    except UNREADABLE:
        return None
    return usage_of(counts) if counts else None


def read_counts(raw: msgspec.Raw) -> Counts | None:
    """The counts of a usage object's JSON, None when it is missing or unreadable."""
    try:
        return COUNTS.decode(raw)
    except UNREADABLE:
        return None


def merged(before: Counts, after: Counts) -> Counts:
    """
    What holds after both were said. An input of nothing at all is not said: some imitators write
    zeros at the end of a stream, others at its start.
    """
    said = {f: v for f, v in msgspec.structs.asdict(after).items() if v is not None}
    if not any(count_of(said.get(name)) for name in INPUTS):
        said = {f: v for f, v in said.items() if f not in INPUTS}
    return msgspec.structs.replace(before, **said)


def usage_of(counts: Counts) -> Usage | None:
    """
    Canonical usage of *counts*; None when they count nothing. Writes that the breakdown does not
    cover are kept for five minutes, which is the default.
    """
    read = count_of(counts.cache_read_input_tokens)
    kept = counts.cache_creation or CacheCreation()
    minutes, hour = map(count_of, (kept.ephemeral_5m_input_tokens, kept.ephemeral_1h_input_tokens))
    write = max(count_of(counts.cache_creation_input_tokens), minutes + hour)
    tokens_in = count_of(counts.input_tokens) + read + write
    tokens_out = count_of(counts.output_tokens)
    if tokens_in == 0 and tokens_out == 0:
        return None
    details = counts.output_tokens_details or OutputDetails()
    return Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        tokens_cache_read=read,
        tokens_cache_write=write,
        tokens_reasoning=min(count_of(details.thinking_tokens), tokens_out),
        tokens_cache_write_1h=hour,
        web_searches=count_of((counts.server_tool_use or ServerTools()).web_search_requests),
    )


def counts_of(usage: Usage) -> dict[str, object]:
    """The usage object to send to a client."""
    cached = usage.tokens_cache_read + usage.tokens_cache_write
    counts: dict[str, object] = {
        "input_tokens": max(0, usage.tokens_in - cached),
        "cache_creation_input_tokens": usage.tokens_cache_write,
        "cache_read_input_tokens": usage.tokens_cache_read,
        "output_tokens": usage.tokens_out,
    }
    if usage.tokens_reasoning:
        counts["output_tokens_details"] = {"thinking_tokens": usage.tokens_reasoning}
    if usage.tokens_cache_write_1h:
        counts["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.tokens_cache_write - usage.tokens_cache_write_1h,
            "ephemeral_1h_input_tokens": usage.tokens_cache_write_1h,
        }
    if usage.web_searches:
        counts["server_tool_use"] = {"web_search_requests": usage.web_searches}
    return counts
