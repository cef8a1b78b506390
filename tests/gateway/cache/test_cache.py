"""The cache of a process, and one look into it."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.cache.cache import LOOP_BYTES_MAX, Look, ResponseCache
from gateway.cache.rules import AMBIGUOUS, OFF, TOOLS
from gateway.config.cache_schema import CacheSettings
from gateway.core.request import Controls
from tests.fakes.clock import ManualClock
from tests.gateway.cache.samples import BODY, ENTRY, asked, entry

SETTINGS = CacheSettings()
LARGE = {**BODY, "messages": [{"role": "user", "content": "x" * (LOOP_BYTES_MAX + 1)}]}


class Others:
    """What replicas share: *entries* by key, and what was put there; slow until *come*."""

    def __init__(self, *, slow: bool = False) -> None:
        self.entries = {}
        self.asked = 0
        self.closed = False
        self.come = asyncio.Event()
        if not slow:
            self.come.set()

    async def get(self, key):
        """After a while."""
        self.asked += 1
        await self.come.wait()
        return self.entries.get(key)

    def put(self, key, entry):
        """At once."""
        self.entries[key] = entry

    async def close(self):
        """Nothing more."""
        self.closed = True


def make(shared=None, settings=SETTINGS) -> ResponseCache:
    """A cache on a clock that stands at the birth of ENTRY."""
    return ResponseCache(settings, ManualClock(wall_s=ENTRY.stored_s), shared)


def look(cache, request=None) -> Look:
    """A look for *request*."""
    return Look(cache, request or asked(), "p1", "served")


@pytest.mark.parametrize("body", [BODY, LARGE], ids=["small", "large"])
async def test_what_was_put_is_found(body):
    """Also where the key of a large body is made in a thread."""
    cache = make()
    first = look(cache, asked(body))
    missed = await first.found()
    cache.put(first.key, ENTRY)

    assert missed is None
    assert await look(cache, asked(body)).found() is ENTRY
    assert cache.stored == 1


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (asked(controls=Controls()), OFF),
        (asked(controls=Controls(cache=False)), OFF),
        (asked({**BODY, "tools": [{"type": "function", "function": {"name": "f"}}]}), TOOLS),
        (asked(json.dumps(BODY).encode().replace(b'"role"', b'"name":"a","name":"b","role"')), ""),
    ],
)
async def test_what_is_not_looked_for(request_, reason):
    """Nothing is hashed, nobody is asked, and the look says why."""
    shared = Others()
    found = look(make(shared), request_)

    assert await found.found() is None
    assert found.reason == (reason or AMBIGUOUS)
    assert (found.key, shared.asked) == (None, 0)


async def test_a_client_gets_nothing_older_than_it_wants():
    """Its time to live is for what it reads, too."""
    cache = make()
    key_of_it = look(cache)
    cache.put(key_of_it.key, ENTRY)
    cache.clock.advance(61)
    hasty = asked(controls=Controls(cache_ttl_s=60))

    assert await look(cache, hasty).found() is None
    assert await look(cache).found() is ENTRY
    cache.clock.advance(3600)
    assert await look(cache).found() is None


async def test_others_answer_in_time():
    """What has come by the time of the decision is used, and kept here."""
    shared = Others()
    cache = make(shared)
    found = look(cache)
    shared.put(found.key, ENTRY)
    await asyncio.sleep(0)

    assert await found.found() is ENTRY
    await look(cache).found()
    assert shared.asked == 1


async def test_nobody_waits_for_others():
    """What comes later is for the next."""
    shared = Others(slow=True)
    cache = make(shared)
    found = look(cache)
    shared.put(found.key, ENTRY)

    assert await found.found() is None
    shared.come.set()
    await asyncio.sleep(0.01)
    assert await look(cache).found() is ENTRY


async def test_a_short_wait_that_the_operator_allows():
    """Whoever comes within it is heard, and no longer than that."""
    shared = Others(slow=True)
    patient = make(shared, CacheSettings(shared_wait_ms=60_000))
    found = look(patient)
    shared.put(found.key, ENTRY)
    asyncio.get_running_loop().call_later(0.01, shared.come.set)

    assert await found.found() is ENTRY
    hasty = make(Others(slow=True), CacheSettings(shared_wait_ms=1))
    assert await look(hasty).found() is None
    await hasty.close()


async def test_an_older_answer_of_others_replaces_no_newer_one():
    """Ours came while they were asked."""
    shared = Others(slow=True)
    cache = make(shared)
    found = look(cache)
    newer = entry(stored_s=ENTRY.stored_s + 1)
    shared.entries[found.key] = ENTRY
    cache.memory.put(found.key, newer)
    shared.come.set()
    await asyncio.sleep(0.01)

    assert await look(cache).found() is newer


async def test_what_is_kept_is_shared_and_let_go_at_the_end():
    """Others find it under the same key; a question on its way is given up."""
    shared = Others(slow=True)
    cache = make(shared)
    found = look(cache)
    cache.put(found.key, ENTRY)
    await cache.close()

    assert shared.entries == {found.key: ENTRY}
    assert shared.closed


async def test_a_reload_switches_the_cache_off():
    """What is kept goes; a smaller memory keeps what fits."""
    cache = make()
    cache.put(look(cache).key, ENTRY)
    cache.use(CacheSettings(memory_bytes_max=2**20))
    assert len(cache.memory) == 1
    cache.use(CacheSettings(enabled=False))

    assert len(cache.memory) == 0
    assert look(cache).reason == OFF
