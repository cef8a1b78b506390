"""
Sums over a stretch of time, in equal parts: money, requests, shares and latencies.

Counts and money are summed by the database. Fees and percentiles are read from the newest records
of each part, as there is no column for them; where a part has more, the sums say that it is so.
Everything here blocks.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select

from gateway.core.outcome import Ending
from gateway.record.store import Store
from gateway.state import tables

SAMPLE_MAX = 48_000  # records read for one overview, shared by its parts: a quarter of a second
NAMES_MAX = 8  # models that are told apart; the rest is OTHERS
OTHERS = "others"
NOBODY = "no answer"


class Quantiles(msgspec.Struct, frozen=True):
    """Of a number of seconds; None where nothing was measured."""

    p50: float | None = None
    p95: float | None = None


class Sums(msgspec.Struct):
    """
    From *start_s*. *fee_nano_usd* is exact while *read* records are all *requests*, else scaled up
    from these. *by_model* counts what answered; every dictionary counts requests by name.
    """

    start_s: float
    requests: int = 0
    errors: int = 0  # requests that got an error, or half of an answer
    cost_nano_usd: int = 0
    savings_nano_usd: int = 0
    fee_nano_usd: int = 0
    added: Quantiles = Quantiles()  # latency that the gateway added
    ttft: Quantiles = Quantiles()
    read: int = 0
    by_tier: dict[str, int] = {}
    by_model: dict[str, int] = {}
    by_task: dict[str, int] = {}


class Overview(msgspec.Struct, frozen=True):
    """The *parts* of a stretch of time, each *part_s* seconds, and all of it in *total*."""

    since_s: float
    until_s: float
    part_s: float
    total: Sums
    parts: tuple[Sums, ...]

    @property
    def sampled(self) -> bool:
        """Whether fees and latencies are those of a part of the records."""
        return self.total.read < self.total.requests


class StagesPart(msgspec.Struct):
    """What is read of ``Record.stages``."""

    added_s: float


class OutcomePart(msgspec.Struct):
    """What is read of ``Record.outcome``."""

    ttft_s: float | None = None


class RecordPart(msgspec.Struct):
    """What is read of a record: the rest is skipped, which is five times as fast."""

    stages: StagesPart
    outcome: OutcomePart
    fee_settled_nano_usd: int = 0


PARTS = msgspec.json.Decoder(RecordPart)


class Times:
    """Seconds of the records that were read."""

    def __init__(self) -> None:
        self.added: list[float] = []
        self.ttft: list[float] = []


def overview(
    store: Store, since_s: float, until_s: float, parts: int, *, sample_max: int = SAMPLE_MAX
) -> Overview:
    """
    The sums from *since_s* to just before *until_s*, wall clock, in *parts* equal parts; blocks.

    Raises:
        Unavailable: the database does not answer.
    """
    part_s = (until_s - since_s) / parts
    total, times = Sums(since_s), Times()
    found = []
    for number in range(parts):
        start_s = since_s + number * part_s
        sums = sums_of(store, start_s, start_s + part_s)
        if sums.requests:
            read_times(store, sums, start_s + part_s, sample_max // parts, times)
        add(total, sums)
        found.append(sums)
    total.added, total.ttft = quantiles(times.added), quantiles(times.ttft)
    common = set(commonest(total.by_model)[:NAMES_MAX])
    for sums in (total, *found):
        sums.by_model = lumped(sums.by_model, common)
    return Overview(since_s, until_s, part_s, total, tuple(found))


def oldest_s(store: Store) -> float | None:
    """When the oldest record came, None where there is none; blocks. Raises Unavailable."""
    wall_s = tables.records.c.wall_s
    with store._begin() as connection:  # noqa: SLF001 - see sums_of
        return connection.execute(select(func.min(wall_s))).scalar()


def sums_of(store: Store, since_s: float, until_s: float) -> Sums:
    """What the database can sum up."""
    columns = tables.records.c
    names = (columns.tier, columns.model, columns.task_type, columns.ending)
    chosen = (
        select(
            *names,
            func.count().label("requests"),
            func.sum(columns.cost_nano_usd).label("cost"),
            func.sum(columns.savings_nano_usd).label("savings"),
        )
        .where(columns.wall_s >= since_s, columns.wall_s < until_s)
        .group_by(*names)
    )
    sums = Sums(since_s)
    with store._begin() as connection:  # noqa: SLF001 - a part of the store that has its own file
        for row in connection.execute(chosen):
            sums.requests += row.requests
            sums.errors += row.requests * (row.ending in (Ending.FAILED, Ending.TRUNCATED))
            sums.cost_nano_usd += int(row.cost)
            sums.savings_nano_usd += int(row.savings)
            count(sums.by_tier, row.tier, row.requests)
            count(sums.by_model, row.model or NOBODY, row.requests)
            count(sums.by_task, row.task_type, row.requests)
    return sums


def read_times(store: Store, sums: Sums, until_s: float, most: int, times: Times) -> None:
    """Read the newest *most* records of a part for what has no column."""
    columns = tables.records.c
    chosen = (
        select(columns.payload)
        .where(columns.wall_s >= sums.start_s, columns.wall_s < until_s)
        .order_by(columns.wall_s.desc(), columns.request_id.desc())
        .limit(most)
    )
    mine, fee_nano_usd = Times(), 0
    with store._begin() as connection:  # noqa: SLF001 - see sums_of
        for (payload,) in connection.execute(chosen):
            try:
                part = PARTS.decode(payload)
            except msgspec.DecodeError:
                continue  # of another version of ours
            sums.read += 1
            fee_nano_usd += part.fee_settled_nano_usd
            mine.added.append(part.stages.added_s)
            if part.outcome.ttft_s is not None:
                mine.ttft.append(part.outcome.ttft_s)
    if sums.read:
        sums.fee_nano_usd = fee_nano_usd * sums.requests // sums.read
    sums.added, sums.ttft = quantiles(mine.added), quantiles(mine.ttft)
    times.added += mine.added
    times.ttft += mine.ttft


def add(total: Sums, sums: Sums) -> None:
    """Put *sums* into *total*."""
    for name in ("requests", "errors", "cost_nano_usd", "savings_nano_usd", "fee_nano_usd", "read"):
        setattr(total, name, getattr(total, name) + getattr(sums, name))
    for name in ("by_tier", "by_model", "by_task"):
        for one, requests in getattr(sums, name).items():
            count(getattr(total, name), one, requests)


def count(counts: dict[str, int], name: str, requests: int) -> None:
    """So many *requests* more of *name*."""
    counts[name] = counts.get(name, 0) + requests


def commonest(counts: dict[str, int]) -> list[str]:
    """The names of *counts*, the commonest first."""
    return sorted(counts, key=lambda name: (-counts[name], name))


def quantiles(values: list[float]) -> Quantiles:
    """Of *values*, the nearest rank."""
    if not values:
        return Quantiles()
    ordered = sorted(values)
    last = len(ordered) - 1
    return Quantiles(p50=ordered[round(0.5 * last)], p95=ordered[round(0.95 * last)])


def lumped(counts: dict[str, int], kept: set[str]) -> dict[str, int]:
    """*counts* of the names in *kept*, and those of all others in one."""
    lump: dict[str, int] = {}
    for name, requests in counts.items():
        count(lump, name if name in kept else OTHERS, requests)
    return lump
