"""
Time and memory of the response cache: the key and the look-up of a request, beside hashing its
bytes alone; and what an entry takes in memory beside its bytes.
"""

from __future__ import annotations

import gc
import hashlib
import json
import timeit
import tracemalloc
from collections.abc import Callable

import msgspec

from gateway.cache.cache import Look, ResponseCache
from gateway.cache.entry import Entry
from gateway.cache.key import KEY_BYTES, canonical, key_of
from gateway.cache.memory import Memory
from gateway.cache.streams import pieces_of
from gateway.config.cache_schema import CacheSettings
from gateway.core.chat import Finish, Usage
from gateway.core.clock import SystemClock
from gateway.core.request import Controls, Kind, Principal, Request
from gateway.wire.registry import DIALECTS

ENTRIES = 10_000
EVENT = b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'


def request_of(size: int) -> Request:
    """A chat of about *size* bytes: a system prompt and turns of 500 characters."""
    words = ("Please explain in a few words how leap years work. " * 10)[:500]
    turns = [
        {"role": "user" if number % 2 else "assistant", "content": words}
        for number in range(max(1, size // 540))
    ]
    body = json.dumps({"model": "gpt-4o", "messages": turns, "temperature": 0.2}).encode()
    return Request(
        id="req_1",
        kind=Kind.CHAT,
        dialect="openai_chat",
        path="/v1/chat/completions",
        body=body,
        chat=DIALECTS["openai_chat"].read(body),
        controls=Controls(cache=True),
        principal=Principal(),
        provider=None,
        headers=(("OpenAI-Beta", "x"),),
        arrived_s=0.0,
        deadline_s=1.0,
    )


def entry(size: int, number: int = 0) -> Entry:
    """An entry with a body of *size* bytes, no object of which another shares."""
    return Entry(
        body=bytes(size),
        content_type="application/json",
        stream=False,
        model=f"model-{number}",
        deployment=f"provider/model-{number}",
        finish=Finish.STOP,
        usage=Usage(tokens_in=1000 + number, tokens_out=2000 + number),
        cost_nano_usd=10**9 + number,
        warnings=(),
        stored_s=1e9 + number,
        until_s=1e12 + number,
    )


def microseconds(work: Callable[[], object]) -> float:
    """The fastest of twenty rounds."""
    rounds, times = 20, 100
    return min(timeit.Timer(work).repeat(rounds, times)) / times * 1e6


def times(size: int) -> None:
    """One line for a request of about *size* bytes."""
    request = request_of(size)
    body = request.body
    cache = ResponseCache(CacheSettings(), SystemClock())
    key = key_of(request, policy="p", shown_model="served")
    assert key is not None
    cache.put(key, entry(4_000))
    now_s = cache.clock.wall()
    unasked = msgspec.structs.replace(request, controls=Controls())
    hashing = microseconds(lambda: hashlib.blake2b(body, digest_size=KEY_BYTES).digest())
    print(
        f"{len(body):>7} bytes: hash alone {hashing:6.1f} us"
        f" | canonical form {microseconds(lambda: canonical(body)):6.1f}"
        f" | key {microseconds(lambda: key_of(request, policy='p', shown_model='served')):6.1f}"
        f" | look-up {microseconds(lambda: cache.memory.get(key, now_s)):.2f}"
        f" | unasked {microseconds(lambda: Look(cache, unasked, 'p', 'served')):.2f}"
    )


def memory(size: int) -> None:
    """One line for entries with bodies of *size* bytes."""
    kept = Memory(2**31)
    gc.collect()
    tracemalloc.start()
    for number in range(ENTRIES):
        kept.put(number.to_bytes(KEY_BYTES, "big"), entry(size, number))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    beside = (taken - size * ENTRIES) / ENTRIES
    counted = kept.size / ENTRIES - size
    print(f"{size:>7} bytes kept: {beside:.0f} beside them, counted {counted:.0f}")


if __name__ == "__main__":
    for wanted in (2_000, 60_000, 100_000):
        times(wanted)
    events = EVENT * 1000
    print(f"1000 events into pieces: {microseconds(lambda: list(pieces_of(events))):.0f} us")
    for wanted in (500, 4_000):
        memory(wanted)
