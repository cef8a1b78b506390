"""
CPU of the ledger for each request: on the event loop, where two lines are appended to the journal,
and in the bookkeeper's thread, which books them in SQLite.

The baseline is a bare write of two lines as long. "Short" requests are reserved and settled within
one look into the journal; "long" ones are in flight between two looks, which costs a hold.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import msgspec

from gateway.core.charges import Reserved, Settled, attempt_id
from gateway.core.clock import SystemClock
from gateway.core.ids import request_id
from gateway.ledger.bookkeeper import Bookkeeper
from gateway.ledger.journal import Journal
from gateway.state import ledger_tables as tables
from gateway.state.database import open_engine
from gateway.state.ledger_store import LedgerStore

REQUESTS = 20_000
BYTES_MAX = 256 * 2**20


class Ledger(LedgerStore):
    """With its tables and nothing else."""

    def prepare(self) -> None:
        """Create the tables."""
        if not self._prepared:
            tables.metadata.create_all(self._engine)
            self._prepared = True


def charges(number: int, now_s: float) -> tuple[Reserved, Settled]:
    """What one request says."""
    request = request_id(now_s)
    who = {
        "attempt_id": attempt_id(request, 1),
        "request_id": request,
        "tenant": f"tenant-{number % 20}",
        "project": "default",
        "key_id": f"key-{number % 100}",
        "provider": "openai",
        "on_credits": True,
        "wall_s": now_s,
    }
    reserved = {"cost_nano_usd": 50_000, "fee_nano_usd": 2_500, "lease_until_s": now_s + 600}
    settled = {"cost_nano_usd": 48_000, "fee_nano_usd": 2_400, "savings_nano_usd": 480_000}
    usage = {"model": "gpt-5-mini", "tokens_in": 1200, "tokens_out": 300, "estimated": False}
    return (
        msgspec.convert(["reserved", *row(Reserved, who | reserved)], Reserved),
        msgspec.convert(["settled", *row(Settled, who | settled | usage)], Settled),
    )


def row(kind: type[msgspec.Struct], values: dict[str, object]) -> list[object]:
    """*values* in the order of a kind's members."""
    return [values[name] for name in kind.__struct_fields__]


def per_request(what: str, start_s: float, requests: int) -> None:
    """Print the CPU time of this thread since *start_s*."""
    print(f"{what}: {(time.thread_time() - start_s) / requests * 1e6:.1f} us per request")


def write_bare(folder: Path) -> None:
    """The baseline."""
    file = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    start_s = time.thread_time()
    for _ in range(REQUESTS):
        os.write(file, b"x" * 180)
        os.write(file, b"x" * 200)
    per_request("event loop, two bare writes", start_s, REQUESTS)
    os.close(file)


def append_all(journal: Journal) -> None:
    """What the event loop does."""
    now_s = time.time()
    made = [charges(number, now_s) for number in range(REQUESTS)]
    start_s = time.thread_time()
    for reserved, settled in made:
        journal.append(reserved)
        journal.append(settled)
    per_request("event loop, reserve and settle", start_s, REQUESTS)


def book_all(journal: Journal, keeper: Bookkeeper, at_once: int, *, long: bool) -> None:
    """What the thread does, with *at_once* requests in each look."""
    spent_s, late = 0.0, []
    for first in range(0, REQUESTS, at_once):
        now_s = time.time()
        for number in range(first, first + at_once):
            reserved, settled = charges(number, now_s)
            journal.append(reserved)
            late.append(settled)
        waiting = late[:-at_once] if long else late
        for settled in waiting:
            journal.append(settled)
        late = late[len(waiting) :]
        start_s = time.thread_time()
        if not keeper.flush():
            raise SystemExit("the database does not answer")
        spent_s += time.thread_time() - start_s
    kind = "long" if long else "short"
    each = spent_s / REQUESTS * 1e6
    print(f"thread, {kind} requests, {at_once} at once: {each:.1f} us per request")


def main() -> None:
    """Everything, once."""
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), SystemClock()
        write_bare(folder)
        engine = open_engine(f"sqlite:///{folder}/ledger.db")
        store, journal = Ledger(engine, clock), Journal(folder, BYTES_MAX)
        keeper = Bookkeeper(store, journal, folder, clock)
        append_all(journal)
        start_s = time.thread_time()
        keeper.flush()
        per_request("thread, all at once", start_s, REQUESTS)
        for at_once in (10, 100, 500):
            for long in (False, True):
                book_all(journal, keeper, at_once, long=long)
        size = (folder / "ledger.db").stat().st_size + (folder / "ledger.db-wal").stat().st_size
        print(f"the file: {size / REQUESTS / 7:.0f} bytes per request")
        journal.close()
        engine.dispose()


if __name__ == "__main__":
    main()
