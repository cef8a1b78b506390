"""
CPU of limits for each request: hold and settle of four limits, in one process and with shares;
and the time of an exchange with Redis, by the number of limits that it reports.

    python -m bench.meters [--redis redis://127.0.0.1:6379/0]

Without ``--redis`` the exchange is not measured. What it writes there lapses within hours.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import time

from gateway.core.clock import SystemClock
from gateway.core.limits import MINUTE, NOW, Limit, Span, Unit, Window
from gateway.ledger.hold import Hold
from gateway.ledger.meters import Meters
from gateway.state.redis_shares import connect
from gateway.state.shares import Claim

REQUESTS = 100_000
ROUNDS = 5
EXCHANGES = 50
LIMITS = (1, 20, 200)
MOST = 2**50
SLOTS = 60
PAST = tuple((59.5 - age_s, age_s + 1) for age_s in range(SLOTS))
FOUR = [
    (Limit("k1 requests", Unit.REQUESTS, MOST, MINUTE), 1),
    (Limit("k1 tokens", Unit.TOKENS, MOST, MINUTE), 900),
    (Limit("k1 concurrent", Unit.CONCURRENT, MOST, NOW), 1),
    (Limit("k1 spend", Unit.NANO_USD, MOST, Window(Span.MONTH)), 48_000),
]
USED = {Unit.TOKENS: 700, Unit.NANO_USD: 31_000}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", help="the URL of a Redis to share limits through")
    url = parser.parse_args().redis
    meters = Meters(SystemClock())
    report("one process", [hold_and_settle(meters, REQUESTS) for _ in range(ROUNDS)])
    if url:
        asyncio.run(measure_shared(url))


def hold_and_settle(meters: Meters, requests: int) -> float:
    """Microseconds of CPU for each of *requests*."""
    start_s = time.thread_time()
    for _ in range(requests):
        held = meters.try_hold(FOUR)
        assert isinstance(held, Hold)
        held.settle(USED)
    return (time.thread_time() - start_s) / requests * 1e6


def report(what: str, figures: list[float]) -> None:
    """Print the middle one, and the range."""
    ordered = sorted(figures)
    middle = ordered[len(ordered) // 2]
    print(f"{what}: {middle:.2f} us per request ({ordered[0]:.2f} to {ordered[-1]:.2f})")


async def measure_shared(url: str) -> None:
    """With shares in hand, awaited as the pipeline does; then exchanges alone."""
    shares = connect(url, "{bench}:" + secrets.token_hex(4))
    meters = Meters(SystemClock(), shares)
    task = asyncio.create_task(meters.run())
    await asyncio.sleep(0.2)
    figures = [await hold_and_settle_shared(meters, 2000) for _ in range(ROUNDS)]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    report("shared, with the exchange in the background", figures)
    for limits in LIMITS:
        for number in range(limits):
            await shares.exchange([claim(number, PAST)])
        claims = [claim(number, ((0.0, SLOTS),)) for number in range(limits)]
        taken, cpu_s = [], time.thread_time()
        for _ in range(EXCHANGES):
            start_s = time.perf_counter()
            await shares.exchange(claims)
            taken.append((time.perf_counter() - start_s) * 1e3)
        cpu_ms = (time.thread_time() - cpu_s) / EXCHANGES * 1e3
        middle = sorted(taken)[len(taken) // 2]
        print(f"exchange of {limits} limits: {middle:.2f} ms, of which {cpu_ms:.2f} ms are our CPU")
    await shares.close()


async def hold_and_settle_shared(meters: Meters, requests: int) -> float:
    """Microseconds of CPU for each of *requests*, a thousand in a second."""
    start_s = time.thread_time()
    for number in range(requests):
        held = await meters.hold(FOUR)
        assert isinstance(held, Hold)
        held.settle(USED)
        if number % 10 == 0:
            await asyncio.sleep(0.01)
    return (time.thread_time() - start_s) / requests * 1e6


def claim(number: int, points: tuple[tuple[float, int], ...]) -> Claim:
    """A claim on a limit of whose window every bucket is used."""
    return Claim(
        name=f"full {number}",
        most=MOST,
        window=MINUTE,
        used=SLOTS,
        keep=SLOTS,
        need=SLOTS + 1,
        want=SLOTS + 9,
        held=0,
        base=0,
        points=points,
    )


if __name__ == "__main__":
    main()
