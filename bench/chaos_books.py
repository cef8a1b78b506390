"""What the ledger and the records say afterwards, read from the database itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, func, select

from bench.chaos_fleet import Fleet
from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.ledger.journal import FOLDER
from gateway.state import ledger_tables, tables
from gateway.state.database import open_engine
from gateway.state.ledger_store import Balance, LedgerCheck, LedgerStore

POLL_S = 0.2


@dataclass(frozen=True)
class Bill:
    """One settlement."""

    request_id: str
    tenant: str
    nano_usd: int
    estimated: bool


@dataclass(frozen=True)
class Books:
    """Everything there is to check."""

    bills: list[Bill]
    open: dict[str, float]  # reservations by request: until when they are leased
    lapsed: list[str]  # requests whose reservation lapsed
    spend_nano_usd: int  # as the sums by minute say
    check: LedgerCheck
    balances: dict[str, Balance]
    records: set[str]  # request ids
    waiting_bytes: int  # of journals that are not in the ledger
    by_request: dict[str, list[Bill]] = field(default_factory=dict)

    @property
    def told(self) -> set[str]:
        """Requests with a record, and those whose process died before it could make one."""
        return self.records | self.open.keys() | set(self.lapsed)

    def __post_init__(self) -> None:
        """Sort the bills by request."""
        for bill in self.bills:
            self.by_request.setdefault(bill.request_id, []).append(bill)


def read_books(engine: Engine, fleet: Fleet) -> Books:
    """All of it. Raises Unavailable."""
    ledger = LedgerStore(engine, SystemClock())
    bill, held = ledger_tables.settlements.c, ledger_tables.reservations.c
    spend = ledger_tables.spend.c
    waiting = waiting_bytes(engine, (one.folder for one in fleet.gateways))  # before what is booked
    with engine.begin() as connection:
        bills = [
            Bill(row[0], row[1], row[2] + row[3], row[4])
            for row in connection.execute(
                select(
                    bill.request_id,
                    bill.tenant,
                    bill.cost_nano_usd,
                    bill.fee_nano_usd,
                    bill.estimated,
                )
            )
        ]
        reservations = connection.execute(
            select(held.request_id, held.lease_until_s, held.lapsed_s)
        ).all()
        spent = connection.execute(select(func.sum(spend.cost_nano_usd + spend.fee_nano_usd)))
        return Books(
            bills=bills,
            open={row[0]: row[1] for row in reservations if row[2] is None},
            lapsed=[row[0] for row in reservations if row[2] is not None],
            spend_nano_usd=int(spent.scalar() or 0),
            check=ledger.check(),
            balances=ledger.balances(),
            records=set(connection.execute(select(tables.records.c.request_id)).scalars()),
            waiting_bytes=waiting,
        )


def waiting_bytes(engine: Engine, folders: Iterable[Path]) -> int:
    """Of the journals below *folders*: on disk, and not read into the ledger."""
    sizes = {}
    for folder in folders:
        for path in (folder / FOLDER).glob("*/*.jsonl"):
            with contextlib.suppress(FileNotFoundError):  # booked and deleted just now
                sizes[f"{path.parent.name}/{int(path.stem)}"] = path.stat().st_size
    columns = ledger_tables.journals.c
    with engine.begin() as connection:
        found = connection.execute(select(columns.segment, columns.read_bytes))
        read: dict[str, int] = {row[0]: row[1] for row in found}
    return sum(size - read.get(name, 0) for name, size in sizes.items())


def settled_books(fleet: Fleet, settled: Callable[[Books], bool], wait_s: float) -> Books:
    """
    The books once no journal waits and they are *settled*; after *wait_s* seconds, however they
    are.
    """
    engine = open_engine(fleet.database)
    end_s = time.monotonic() + wait_s
    try:
        while True:
            try:
                books = read_books(engine, fleet)
            except Unavailable:
                if time.monotonic() > end_s:
                    raise
            else:
                still = books.waiting_bytes or not settled(books)
                if not still or time.monotonic() > end_s:
                    return books
            time.sleep(POLL_S)
    finally:
        engine.dispose()
