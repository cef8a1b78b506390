"""
Shake a fleet under load, and count afterwards.

    python -m bench.chaos [--seconds 60] [--rate 100] [--outage 20] [--harder] [--no-lapses]
        [--keep FOLDER]

Two gateways over one PostgreSQL and one Redis, all real and started here; a provider that knows
what it has charged; an open loop of requests. One gateway is killed, Redis is stopped, PostgreSQL
is stopped, the other gateway is restarted. Then every answer is held against the ledger, the
records and the provider's own log. The exit status is 1 where a check fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from bench.chaos_books import Bill, Books, settled_books
from bench.chaos_checks import Bounds, Check, Seen, checks
from bench.chaos_fleet import REQUEST_S, Fleet, Gateway, running
from bench.chaos_load import TENANTS, VISITOR, Answer, Load
from bench.real_servers import NotInstalledError, scratch
from gateway.charging import LEASE_S
from gateway.ledger.bookkeeper import LAPSE_S

NOTICE_S = 0.3  # until a load balancer sees that nobody listens
CALM_S = 2.0  # between two blows
STALE_S = 2.0  # so old may facts be
UNSURE_S = 6.0  # so old, they leave it open whether there is such a key
MEAN_NANO_USD = 85_000  # of a request, see the script
SHARE = 0.4  # of what a tenant asks for is within its limit
RECORDS_S = 40.0  # a recorder tries again every 30 s
MINUTE_S = 60.0
NANO = 10**9


@dataclass
class Diary:
    """What was done and seen on the way. The mutable state: *checks*."""

    console: Console
    begun_s: float = field(default_factory=time.monotonic)
    checks: list[Check] = field(default_factory=list)

    def tell(self, what: str) -> None:
        """Say *what* happens now."""
        self.console.print(f"[dim]{time.monotonic() - self.begun_s:6.1f} s[/]  {what}")

    def check(self, name: str, figures: str, *, holds: bool, timed: bool = False) -> None:
        """One more line of the table."""
        self.checks.append(Check(name, holds, figures, timed))


@dataclass(frozen=True)
class Plan:
    """
    How long and how hard. *lapses*: wait until the leases of torn requests are over. *keep*: a
    folder for logs, answers and bills.
    """

    seconds: float = 60.0
    rate_per_s: float = 100.0
    outage_s: float = 20.0
    harder: bool = False  # a gateway is killed and started again while PostgreSQL is stopped
    lapses: bool = True
    keep: Path | None = None

    @property
    def bounds(self) -> Bounds:
        """What the tenants may use: less than what they ask for."""
        wanted = self.rate_per_s / len(TENANTS) * SHARE
        money = int(wanted * self.seconds * MEAN_NANO_USD)
        return Bounds(int(wanted * min(self.seconds, MINUTE_S)), money, money, replicas=2)


def main() -> None:
    """Shake, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load")
    parser.add_argument("--rate", type=float, default=100.0, help="requests per second")
    parser.add_argument("--outage", type=float, default=20.0, help="of each store, seconds")
    parser.add_argument("--harder", action="store_true", help="kill one while PostgreSQL is down")
    parser.add_argument("--no-lapses", action="store_true", help="do not wait for leases to end")
    parser.add_argument("--keep", type=Path, help="a folder for logs, answers and bills")
    asked = parser.parse_args()
    plan = Plan(
        seconds=asked.seconds,
        rate_per_s=asked.rate,
        outage_s=asked.outage,
        harder=asked.harder,
        lapses=not asked.no_lapses,
        keep=asked.keep,
    )
    console = Console()
    try:
        found = shake(plan, console)
    except (NotInstalledError, RuntimeError) as problem:
        raise SystemExit(str(problem)) from None
    console.print(table_of(found, plan))
    console.print(f"Load of the machine in the last minute: {os.getloadavg()[0]:.1f}")
    raise SystemExit(any(check.holds is False for check in found))


def shake(plan: Plan, console: Console) -> list[Check]:
    """
    All of it; what was found.

    Raises:
        NotInstalledError: a server's program is missing.
        RuntimeError: a gateway did not start.
    """
    with scratch() as folder, running(folder) as fleet:
        diary = Diary(console)
        diary.tell("two gateways, PostgreSQL and Redis are there")
        load = Load(fleet.gateways, tenants(fleet.gateways[0], plan.bounds))
        asyncio.run(under_load(fleet, load, plan, diary))
        diary.tell("the load is over; waiting until everything is booked")
        seen = Seen(load.answers, fleet.truth(), fleet.killed, plan.lapses)
        done = {one.request_id for one in seen.answered}
        wait_s = REQUEST_S + LEASE_S + 2 * LAPSE_S if plan.lapses else RECORDS_S
        books = settled_books(
            fleet,
            lambda books: done <= books.told and not (plan.lapses and books.open),
            wait_s,
        )
        diary.tell("booked")
        found = checks(seen, books, plan.bounds)
        name = "requests not sent, too many being in flight"
        diary.check(name, str(load.unsent), holds=not load.unsent)
        if plan.keep is not None:
            keep(plan.keep, fleet, load.answers, books)
        return [*diary.checks, *found]


def keep(folder: Path, fleet: Fleet, answers: list[Answer], books: Books) -> None:
    """What is needed to find out why a check fails."""
    folder.mkdir(parents=True, exist_ok=True)
    for gateway in fleet.gateways:
        (folder / f"{gateway.name}.log").write_text(gateway.log())
    shutil.copy(fleet.calls, folder)
    lines: dict[str, Sequence[Answer | Bill]] = {"answers": answers, "bills": books.bills}
    for name, rows in lines.items():
        text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)


def tenants(gateway: Gateway, bounds: Bounds) -> dict[str, str]:
    """Make them; the secret of each one's key."""
    spend = [{"usd": bounds.spend_nano_usd / NANO, "window": "rolling 3600"}]
    limits = {
        "paced": {"requests_per_minute": bounds.requests_per_minute},
        "spender": {"spend": spend, "at_limit": "refuse"},
    }
    secrets = {}
    for name in TENANTS:
        value = {"credits": name == "prepaid"}
        gateway.make("/tenants", {"id": name, "value": value})
        gateway.make("/projects", {"id": name, "value": {"tenant": name}})
        key = {"tenant": name, "project": name, "limits": limits.get(name, {})}
        secrets[name] = gateway.make("/keys", {"value": key})["secret"]
    gateway.make("/tenants/prepaid/top-ups", {"nano_usd": bounds.credits_nano_usd})
    return secrets


async def under_load(fleet: Fleet, load: Load, plan: Plan, diary: Diary) -> None:
    """One blow after the other while *load* runs."""
    await asyncio.sleep(STALE_S)  # until both gateways have heard of the tenants
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(plan.rate_per_s, plan.seconds))
        await asyncio.sleep(CALM_S)
        await keys_come_and_go(fleet, load, diary)
        await killed(fleet.gateways[0], diary)
        await asyncio.sleep(CALM_S)
        await without_redis(fleet, plan, diary)
        await asyncio.sleep(CALM_S)
        await without_postgres(fleet, load, plan, diary)
        await asyncio.sleep(CALM_S)
        diary.tell(f"SIGTERM to {fleet.gateways[1].name}")
        await asyncio.to_thread(fleet.gateways[1].stop)
        await asyncio.to_thread(fleet.gateways[1].start)
        diary.tell(f"{fleet.gateways[1].name} is back")


async def killed(gateway: Gateway, diary: Diary) -> None:
    """SIGKILL, and a start."""
    diary.tell(f"kill -9 of {gateway.name}")
    await asyncio.to_thread(gateway.kill)
    await asyncio.sleep(NOTICE_S)
    gateway.up = False
    await asyncio.to_thread(gateway.start)
    diary.tell(f"{gateway.name} is back")


async def without_redis(fleet: Fleet, plan: Plan, diary: Diary) -> None:
    """For an outage."""
    diary.tell("Redis is stopped")
    await asyncio.to_thread(fleet.redis.stop)
    await asyncio.sleep(plan.outage_s / 2)
    await ready_all_the_same(fleet, diary, "Redis")
    await asyncio.sleep(plan.outage_s / 2)
    await asyncio.to_thread(fleet.redis.start)
    diary.tell("Redis is back")


async def without_postgres(fleet: Fleet, load: Load, plan: Plan, diary: Diary) -> None:
    """For an outage; whoever asks for something new is told to come back."""
    diary.tell("PostgreSQL is stopped")
    await asyncio.to_thread(fleet.postgres.stop)
    end_s = time.monotonic() + plan.outage_s
    await asyncio.sleep(plan.outage_s / 2)
    await ready_all_the_same(fleet, diary, "PostgreSQL")
    status, _ = await asyncio.to_thread(fleet.gateways[0].admin, "POST", "/keys", {"value": {}})
    diary.check("making a key without PostgreSQL: 503", str(status), holds=status == 503)
    if plan.harder:
        await killed(fleet.gateways[1], diary)
    await asyncio.sleep(max(0.0, end_s - time.monotonic()))
    if plan.outage_s > UNSURE_S:
        stranger = await visit(load, fleet.gateways[0], "sy_nobody-knows-this-one")
        told = f"{stranger.status} {stranger.code}"
        name = "a key that nobody knows meanwhile: 503"
        diary.check(name, told, holds=stranger.status == 503)
    await asyncio.to_thread(fleet.postgres.start)
    diary.tell("PostgreSQL is back")


async def ready_all_the_same(fleet: Fleet, diary: Diary, store: str) -> None:
    """Whether the gateways call themselves ready."""
    ready = [await asyncio.to_thread(gateway.is_ready) for gateway in fleet.gateways]
    told = f"{sum(ready)} of {len(ready)}"
    diary.check(f"ready without {store}", told, holds=all(ready))


async def keys_come_and_go(fleet: Fleet, load: Load, diary: Diary) -> None:
    """How soon one gateway hears of what the other was told."""
    first, second = fleet.gateways
    value = {"tenant": "free", "project": "free"}
    made = await asyncio.to_thread(first.make, "/keys", {"value": value})
    for name, path, status in (
        ("a key made at one works at the other", None, 200),
        ("revoked at one, refused at the other", f"/keys/{made['id']}/revoke", 401),
    ):
        if path is not None:
            await asyncio.to_thread(first.make, path)
        took_s = await until(load, second, made["secret"], status)
        diary.check(name, f"after {took_s:.2f} s", holds=took_s <= STALE_S, timed=True)


async def until(load: Load, gateway: Gateway, secret: str, status: int) -> float:
    """Seconds until *gateway* answers *status* to *secret*; twice STALE_S where it does not."""
    begun_s = time.monotonic()
    while (took_s := time.monotonic() - begun_s) < 2 * STALE_S:
        if (await visit(load, gateway, secret)).status == status:
            break
        await asyncio.sleep(0.05)
    return took_s


async def visit(load: Load, gateway: Gateway, secret: str) -> Answer:
    """One request with a key that is none of the tenants'."""
    load.secrets = {**load.secrets, "visitor": secret}
    visits = sum(one.number >= VISITOR for one in load.answers)
    async with aiohttp.ClientSession() as http:
        return await load.ask(http, gateway, VISITOR + 4 * visits, "visitor")


def table_of(found: list[Check], plan: Plan) -> Table:
    """For a person."""
    title = f"{plan.seconds:g} s at {plan.rate_per_s:g}/s, outages of {plan.outage_s:g} s"
    table = Table(title=title)
    for name in ("check", "", "figures"):
        table.add_column(name, overflow="fold")
    marks = {True: "[green]holds[/]", False: "[red]FAILS[/]", None: ""}
    for check in found:
        table.add_row(check.name, marks[check.holds], check.figures)
    return table


if __name__ == "__main__":
    main()
