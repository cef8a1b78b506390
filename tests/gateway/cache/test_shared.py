"""Answers in a real Redis, which may go and come back."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from redis.asyncio import Redis

from gateway.cache import shared as module
from gateway.cache.shared import PREFIX, Shared
from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from tests.gateway.cache.samples import entry
from tests.servers import free_port

NOWHERE = "redis://127.0.0.1:{}/0"


def fresh(**changes):
    """An entry that was stored now."""
    now_s = time.time()
    return entry(**{"stored_s": now_s, "until_s": now_s + 60, **changes})


async def written(shared: Shared) -> None:
    """Until nothing waits to be written."""
    await asyncio.gather(*shared._writes)


async def test_one_replica_finds_what_another_kept(redis_server):
    """Byte for byte, and no longer than its time to live."""
    key = b"test_shared:round trip"
    mine, theirs = (Shared(redis_server.url, SystemClock()) for _ in range(2))
    kept = fresh(body=b"\x00\xff" * 1000, stream=True, warnings=("dropped;omitted;n",))
    mine.put(key, kept)
    await written(mine)

    assert await theirs.get(key) == kept
    assert await theirs.get(b"test_shared:another") is None
    async with Redis.from_url(redis_server.url) as redis:
        assert 0 < await redis.pttl(PREFIX + key) <= 60_000
    assert mine.counts == {("write", "ok"): 1}
    assert theirs.counts == {("read", "hit"): 1, ("read", "miss"): 1}
    await mine.close()
    await theirs.close()


async def test_what_is_over_is_not_written(redis_server):
    """It would be refused, or stay for good."""
    shared = Shared(redis_server.url, SystemClock())
    shared.put(b"test_shared:over", fresh(until_s=time.time() - 1))
    await written(shared)

    assert await shared.get(b"test_shared:over") is None
    await shared.close()


@pytest.mark.parametrize("value", [b"", b"\xff", msgspec.msgpack.encode(["shape", 1])])
async def test_what_is_no_entry_is_a_miss(redis_server, value):
    """Somebody else's value under our name."""
    shared = Shared(redis_server.url, SystemClock())
    async with Redis.from_url(redis_server.url) as redis:
        await redis.set(PREFIX + b"test_shared:foreign", value, px=60_000)

    assert await shared.get(b"test_shared:foreign") is None
    assert shared.counts["read", "failed"] == 1
    await shared.close()


async def test_without_redis_nothing_fails(caplog):
    """One line in the log, then a pause in which nobody asks."""
    shared = Shared(NOWHERE.format(free_port()), SystemClock())
    found = [await shared.get(b"k") for _ in range(5)]
    shared.put(b"k", fresh())

    assert found == [None] * 5
    assert shared.counts == {("read", "failed"): 1, ("read", "skipped"): 4, ("write", "skipped"): 1}
    assert len(caplog.records) == 1
    await shared.close()


async def test_redis_comes_back(redis_server, monkeypatch):
    """After the pause it is asked again."""
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    shared = Shared(redis_server.url, SystemClock())
    key = b"test_shared:comes back"
    shared.put(key, fresh())
    await written(shared)
    redis_server.stop()
    gone = await shared.get(key)
    redis_server.start()
    await asyncio.sleep(0.01)
    back = await shared.get(key)

    assert gone is None
    assert back is not None
    await shared.close()


async def test_a_redis_that_does_not_answer_is_left_alone(monkeypatch):
    """It took the connection and says nothing."""
    monkeypatch.setattr(module, "READ_S", 0.02)

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    shared = Shared(NOWHERE.format(port), SystemClock())

    assert await shared.get(b"k") is None
    assert shared.counts == {("read", "failed"): 1}
    await shared.close()
    await asyncio.sleep(0.01)  # for the server to see that
    server.close()


async def test_what_waits_to_be_written_is_bounded(redis_server):
    """A slow Redis must not fill our memory."""
    shared = Shared(redis_server.url, SystemClock())
    for number in range(12):
        shared.put(b"test_shared:%d" % number, fresh(body=bytes(2**20)))
    await written(shared)

    assert shared.counts == {("write", "ok"): 7, ("write", "skipped"): 5}
    assert shared._writing_bytes == 0
    await shared.close()


def test_what_is_no_url_of_redis():
    """Told at the start, without the URL, which may hold a password."""
    with pytest.raises(Unavailable) as raised:
        Shared("https://:secret@example.org", SystemClock())

    assert "secret" not in str(raised.value)
