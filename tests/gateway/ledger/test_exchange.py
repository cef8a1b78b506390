"""Replicas that share limits through a real Redis, and through an outage of it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

import pytest

from gateway.core.clock import SystemClock
from gateway.core.limits import LIFETIME, MINUTE, NOW, Limit, LimitReached, Span, Unit, Window
from gateway.ledger.hold import Hold
from gateway.ledger.meters import History, Meters
from gateway.state.redis_shares import connect
from tests.servers import RedisServer

PATIENT_S = 5.0  # a busy machine is no reason to be refused
RPM = Limit("k1 requests", Unit.REQUESTS, 100, MINUTE)
RUNNING = Limit("k1 concurrent", Unit.CONCURRENT, 5, NOW)
MONEY = Limit("k1 money", Unit.NANO_USD, 1_000_000, Window(Span.MONTH))


class MakeReplica(Protocol):
    """Starts a replica."""

    def __call__(self, history: History | None = None, *, wait_s: float = PATIENT_S) -> Meters: ...


@pytest.fixture
async def replica(redis_server: RedisServer) -> AsyncIterator[MakeReplica]:
    """Starts replicas that share with each other and with no other test; they end with it."""
    prefix = "{meters}:" + secrets.token_hex(4)
    ended = contextlib.AsyncExitStack()

    def make(history: History | None = None, *, wait_s: float = PATIENT_S) -> Meters:
        shares = connect(redis_server.url, prefix)
        meters = Meters(SystemClock(), shares, history, wait_s=wait_s)
        task = asyncio.create_task(meters.run())
        ended.push_async_callback(shares.close)
        ended.push_async_callback(end, task)
        return meters

    async with ended:
        yield make


async def end(task: asyncio.Task[None]) -> None:
    """Cancel *task* and wait for it."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(true: Callable[[], bool]) -> None:
    """Until something is so; a busy machine takes its time."""
    end_s = time.monotonic() + 15
    while not true():
        assert time.monotonic() < end_s, "it never came to be so"
        await asyncio.sleep(0.01)


async def hammer(meters: Meters, limit: Limit, times: int, amount: int = 1) -> int:
    """How many of *times* requests at the same time are let through; each is settled at once."""

    async def request() -> bool:
        got = await meters.hold([(limit, amount)])
        if isinstance(got, LimitReached):
            return False
        await asyncio.sleep(0.001)
        got.settle({})
        return True

    return sum(await asyncio.gather(*(request() for _ in range(times))))


async def test_two_replicas_let_through_exactly_the_limit(replica: MakeReplica) -> None:
    """Two replicas with 400 requests at the same time let 100 through, and not one more."""
    first, second = replica(), replica()

    passed = await asyncio.gather(hammer(first, RPM, 200), hammer(second, RPM, 200))

    assert sum(passed) == 100


async def test_money_never_passes_the_limit(replica: MakeReplica) -> None:
    """Three replicas that spend odd amounts leave less than one of them unspent."""
    replicas = [replica(), replica(), replica()]

    passed = await asyncio.gather(*(hammer(meters, MONEY, 100, 7_777) for meters in replicas))

    assert sum(passed) == 1_000_000 // 7_777


async def test_one_replica_uses_all_that_idle_ones_leave(replica: MakeReplica) -> None:
    """A share that a replica took and does not use goes back to the one that asks."""
    idle, busy = replica(), replica()
    await hammer(idle, RPM, 10)

    assert await hammer(busy, RPM, 120) == 90


async def test_a_request_in_comfort_waits_for_nobody(replica: MakeReplica) -> None:
    """Once a replica has a share, holding needs no other replica and no Redis."""
    meters = replica()

    await hammer(meters, RPM, 2)

    assert isinstance(meters.try_hold([(RPM, 1)]), Hold)


async def test_concurrency_is_counted_over_replicas(replica: MakeReplica) -> None:
    """What runs at one replica leaves less for the other, until it ends."""
    first, second = replica(), replica()
    running = [await first.hold([(RUNNING, 1)]) for _ in range(4)]

    last, refused = await second.hold([(RUNNING, 1)]), await second.hold([(RUNNING, 1)])
    ended = running.pop()
    assert isinstance(ended, Hold)
    ended.release()
    await until(lambda: second.state(RUNNING).remaining == 1)
    again = await second.hold([(RUNNING, 1)])

    assert isinstance(last, Hold)
    assert isinstance(refused, LimitReached)
    assert isinstance(again, Hold)


async def test_the_state_is_that_of_all(replica: MakeReplica) -> None:
    """What another replica used is known after a while."""
    first, second = replica(), replica()
    await hammer(first, RPM, 30)
    await hammer(second, RPM, 1)

    await until(lambda: second.state(RPM).used == 31)

    assert second.state(RPM).remaining == 69


async def test_the_past_is_asked_for_once(replica: MakeReplica) -> None:
    """The first replica asks the ledger for what was spent; all count it, and once."""
    asked = []

    async def history(limit: Limit, before_s: float) -> Iterable[tuple[float, int]]:
        asked.append(limit.name)
        return [(before_s - 5, 999_000)]

    first, second = replica(history), replica(history)
    held = await first.hold([(MONEY, 100)])
    assert isinstance(held, Hold)
    held.settle({})
    await until(lambda: first.state(MONEY).used == 999_100)

    await hammer(second, MONEY, 1, 500)
    got = await second.hold([(MONEY, 500)])

    assert isinstance(got, LimitReached)
    assert asked == ["k1 money"]


async def test_an_outage_and_its_end(redis_server: RedisServer, replica: MakeReplica) -> None:
    """
    Without Redis replicas go on with what is theirs, say since when, and wait for nothing; after
    it, what they used is counted once, and the limit is exact again.
    """
    limit = Limit("k1 lifetime", Unit.REQUESTS, 100, LIFETIME)
    first, second = replica(), replica()
    await hammer(first, limit, 10)
    await hammer(second, limit, 10)
    await until(lambda: first.state(limit).used == second.state(limit).used == 20)
    redis_server.stop()
    try:
        await until(lambda: first.stale_since_s is not None and second.stale_since_s is not None)
        alone = [await hammer(meters, limit, 100) for meters in (first, second)]
        stale = first.state(limit)
    finally:
        redis_server.start()
    await until(lambda: first.stale_since_s is None and second.stale_since_s is None)
    rest = await asyncio.gather(hammer(first, limit, 60), hammer(second, limit, 60))

    assert min(alone) > 10
    assert stale.stale_since_s is not None
    # A replica knows what the other took up to its last exchange, and not after it.
    assert 20 + sum(alone) + sum(rest) in range(100, 111)


async def test_a_redis_that_forgot_is_told_again(
    redis_server: RedisServer, replica: MakeReplica
) -> None:
    """A Redis that lost everything hears what was used in the window from those who used it."""
    import redis as sync_redis

    first, second = replica(), replica()
    await hammer(first, RPM, 40)
    await hammer(second, RPM, 30)
    await asyncio.sleep(0.3)
    with sync_redis.Redis.from_url(redis_server.url) as client:
        client.flushall()

    rest = [await hammer(first, RPM, 1), await hammer(second, RPM, 1)]
    await asyncio.sleep(0.3)
    rest += await asyncio.gather(hammer(first, RPM, 60), hammer(second, RPM, 60))

    assert sum(rest) == 30


async def test_it_ends_when_it_is_cancelled_at_any_time(replica: MakeReplica) -> None:
    """Also while the client is connecting, which swallows a cancellation."""
    for pause_s in (0.0, 0.0, 0.001, 0.002, 0.005):
        meters = replica()
        task = asyncio.create_task(meters.run())
        await asyncio.sleep(pause_s)

        task.cancel()

        done, _ = await asyncio.wait([task], timeout=PATIENT_S)
        assert done == {task}
