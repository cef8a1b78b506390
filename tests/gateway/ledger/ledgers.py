"""Ledgers, processes and events for the tests of the ledger."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from gateway.core.charges import Released, Reserved, Settled, attempt_id
from gateway.core.clock import Clock
from gateway.ledger.bookkeeper import Bookkeeper
from gateway.ledger.journal import Journal
from gateway.state import ledger_tables as tables
from gateway.state.database import open_engine
from gateway.state.ledger_store import LedgerStore
from tests.fakes.clock import ManualClock

USD = 10**9
LEASE_S = 600.0
TABLES = (
    tables.batches,
    tables.entries,
    tables.balances,
    tables.reservations,
    tables.settlements,
    tables.spend,
    tables.journals,
)


class Ledger(LedgerStore):
    """A ledger whose tables are there without migrations, which take a tenth of a second."""

    def prepare(self) -> None:
        if not self._prepared:
            tables.metadata.create_all(self._engine, tables=TABLES)
            self._prepared = True

    @property
    def engine(self) -> Engine:
        return self._engine


def make_ledger(url: str = "sqlite://", clock: Clock | None = None) -> Ledger:
    """An empty ledger."""
    return Ledger(open_engine(url), clock or ManualClock())


def empty(engine: Engine) -> None:
    """Forget everything."""
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(table.delete())


def balances_of(store: Ledger) -> dict[str, int]:
    """Every account's balance."""
    with store.engine.begin() as connection:
        return {row[0]: row[1] for row in connection.execute(tables.balances.select())}


def reserve(number: int, *, wall_s: float = 1_700_000_000.0, **given: object) -> Reserved:
    """Attempt *number* is about to be sent: 0.05 USD and a fee of 0.0225, on credits."""
    values = {
        "attempt_id": attempt_id(f"req_{number}", 1),
        "request_id": f"req_{number}",
        "tenant": "acme",
        "project": "shop",
        "key_id": "k1",
        "provider": "openai",
        "on_credits": True,
        "cost_nano_usd": USD * 5 // 100,
        "fee_nano_usd": USD * 225 // 10_000,
        "wall_s": wall_s,
        "lease_until_s": wall_s + LEASE_S,
    }
    return Reserved(**{**values, **given})


def settle(number: int, *, wall_s: float = 1_700_000_000.0, **given: object) -> Settled:
    """Attempt *number* was billed as it was reserved, where the client's model costs 0.50."""
    values = {
        "attempt_id": attempt_id(f"req_{number}", 1),
        "request_id": f"req_{number}",
        "tenant": "acme",
        "project": "shop",
        "key_id": "k1",
        "provider": "openai",
        "model": "small",
        "on_credits": True,
        "cost_nano_usd": USD * 5 // 100,
        "fee_nano_usd": USD * 225 // 10_000,
        "savings_nano_usd": USD * 45 // 100,
        "tokens_in": 1000,
        "tokens_out": 200,
        "estimated": False,
        "wall_s": wall_s,
    }
    return Settled(**{**values, **given})


def release(number: int, *, wall_s: float = 1_700_000_000.0) -> Released:
    """Attempt *number* came to nothing."""
    return Released(attempt_id(f"req_{number}", 1), wall_s, "failed")


class Process:
    """A gateway process as the ledger sees it; works only when told to."""

    def __init__(
        self,
        store: LedgerStore,
        folder: Path,
        clock: Clock,
        *,
        bytes_max: int = 2**20,
        batch_max: int = 1000,
    ) -> None:
        self.journal = Journal(folder, bytes_max)
        self.bookkeeper = Bookkeeper(store, self.journal, folder, clock, batch_max=batch_max)

    def append(self, *charges: Reserved | Settled | Released) -> None:
        for charge in charges:
            self.journal.append(charge)

    def flush(self) -> bool:
        return self.bookkeeper.flush()

    def crash(self) -> None:
        """What the operating system does to a killed process: its files are closed, no more."""
        self.journal.close()
        for adopted in self.bookkeeper._segments[1:]:
            adopted.close()
