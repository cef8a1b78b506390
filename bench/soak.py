"""
Whether memory stays flat while the stores come and go.

    python -m bench.soak [--requests 200000] [--rate 300] [--period 60]

One gateway over PostgreSQL and Redis, all real and started here, and a provider that answers at
once. For half of each period both stores are stopped. Prints the memory of the gateway through
the run, and whether the ledger has every answered request exactly once. The exit status is 1 where
memory grows, or something is lost.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, field

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from bench import open_loop
from bench.chaos_books import Books, settled_books
from bench.chaos_fleet import Fleet, running
from bench.chaos_load import PATH, body
from bench.real_servers import NotInstalledError, scratch

STALE_S = 2.0  # until the gateway has heard of the key
SAMPLE_S = 5.0
GROWTH_MB_MAX = 20.0  # from the second to the last quarter
WAIT_S = 120.0  # for the books, afterwards
MB = 2**20


@dataclass
class Seen:
    """The mutable state: what the clients and the process table said."""

    answered: int = 0
    failed: int = 0
    rss_mb: list[float] = field(default_factory=list)
    outages: int = 0

    def quarter_mb(self, number: int) -> float:
        """The mean of a quarter of the run, 0 to 3."""
        return float(np.mean(np.array_split(self.rss_mb, 4)[number]))


def main() -> None:
    """Load, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=300, help="requests per second")
    parser.add_argument("--period", type=float, default=60.0, help="of stores up and down, seconds")
    asked = parser.parse_args()
    console = Console()
    try:
        with scratch() as folder, running(folder, gateways=1) as fleet:
            seen = asyncio.run(soak(fleet, asked.requests, asked.rate, asked.period, console))
            console.print("The load is over; waiting until everything is booked")
            all_there = seen.answered
            books = settled_books(fleet, lambda books: len(books.records) >= all_there, WAIT_S)
    except (NotInstalledError, RuntimeError) as problem:
        raise SystemExit(str(problem)) from None
    console.print(table_of(seen, books))
    raise SystemExit(not holds(seen, books))


async def soak(fleet: Fleet, requests: int, rate: int, period_s: float, console: Console) -> Seen:
    """*requests* at *rate*, period after period."""
    gateway, seen = fleet.gateways[0], Seen()
    secret = await asyncio.to_thread(key, fleet)
    await asyncio.sleep(STALE_S)
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(watched(gateway.pid, seen))
        outages = tasks.create_task(come_and_go(fleet, period_s, seen))
        first = 0
        while first < requests:
            some = [request(n, secret) for n in range(first, first + int(rate * SAMPLE_S))]
            found = await asyncio.to_thread(open_loop.run, gateway.port, some, rate, SAMPLE_S)
            seen.answered += len(found.latencies_s)
            seen.failed += found.failed
            first += len(found.latencies_s) + found.failed
            console.print(f"[dim]{first:>8,} requests  {seen.rss_mb[-1]:.0f} MB[/]", end="\r")
        watch.cancel()
        outages.cancel()
    await asyncio.to_thread(fleet.postgres.start)
    await asyncio.to_thread(fleet.redis.start)
    return seen


def key(fleet: Fleet) -> str:
    """The secret of a key of a tenant with limits."""
    gateway = fleet.gateways[0]
    gateway.make("/tenants", {"id": "soak", "value": {}})
    gateway.make("/projects", {"id": "soak", "value": {"tenant": "soak"}})
    limits = {"requests_per_minute": 10**9, "spend": [{"usd": 1e6, "window": "month"}]}
    value = {"tenant": "soak", "project": "soak", "limits": limits}
    return str(gateway.make("/keys", {"value": value})["secret"])


def request(number: int, secret: str) -> bytes:
    """The request with this *number*, as bytes on the wire; it neither fails nor takes long."""
    text = body(number * 100)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {secret}\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


async def watched(pid: int, seen: Seen) -> None:
    """Note the memory of a process, until cancelled."""
    process = psutil.Process(pid)
    while True:
        seen.rss_mb.append(process.memory_info().rss / MB)
        await asyncio.sleep(SAMPLE_S)


async def come_and_go(fleet: Fleet, period_s: float, seen: Seen) -> None:
    """Stop and start both stores, until cancelled."""
    while True:
        await asyncio.sleep(period_s / 2)
        await asyncio.to_thread(fleet.postgres.stop)
        await asyncio.to_thread(fleet.redis.stop)
        seen.outages += 1
        await asyncio.sleep(period_s / 2)
        await asyncio.to_thread(fleet.redis.start)
        await asyncio.to_thread(fleet.postgres.start)


def grown_mb(seen: Seen) -> float:
    """From the second quarter, when everything is warm, to the last."""
    return seen.quarter_mb(3) - seen.quarter_mb(1)


def holds(seen: Seen, books: Books) -> bool:
    """Whether memory is flat and nothing is lost or charged twice."""
    once = len(books.by_request) == len(books.bills) == len(books.records) == seen.answered
    return once and not seen.failed and grown_mb(seen) <= GROWTH_MB_MAX


def table_of(seen: Seen, books: Books) -> Table:
    """For a person."""
    table = Table(title=f"{seen.answered:,} requests, both stores stopped {seen.outages} times")
    table.add_column("")
    table.add_column("", overflow="fold")
    quarters = ", ".join(f"{seen.quarter_mb(number):.0f}" for number in range(4))
    table.add_row("memory by quarter of the run, MB", quarters)
    table.add_row("most, MB", f"{max(seen.rss_mb):.0f}")
    table.add_row("growth, second quarter to last, MB", f"{grown_mb(seen):+.1f}")
    table.add_row("requests that failed", f"{seen.failed:,}")
    table.add_row("settled exactly once", f"{len(books.by_request):,} of {len(books.bills):,}")
    table.add_row("records", f"{len(books.records):,}")
    table.add_row("ledger", f"sum {books.check.sum_nano_usd}, {books.waiting_bytes} bytes wait")
    return table


if __name__ == "__main__":
    main()
