"""One page of a journal becomes one transaction of the ledger."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.core.charges import Charge, Reserved, Settled
from gateway.ledger.postings import Entries, bill, hold, release
from gateway.state.ledger_store import LedgerStore
from gateway.state.ledger_transaction import Transaction, spend_of

CHARGES = "charges"
LAPSES = "lapses"
LAPSES_MAX = 1000  # in one transaction


class Reading(msgspec.Struct, frozen=True):
    """The bytes of a segment that a page was read from."""

    segment: str
    start: int
    end: int


def book(store: LedgerStore, charges: Sequence[Charge], reading: Reading) -> int:
    """
    Book *charges* and note that *reading* is done; how many settlements were new.

    Attempts that are reserved and ended among *charges* need no hold. Whatever the order, and
    however often it is said: an attempt is billed once, and its hold is released once.

    Raises:
        Moved: somebody else has booked this page.
        Unavailable: the database does not answer.
        InternalError: it refuses one of *charges* for good.
    """
    with store.begin(CHARGES) as books:
        books.advance(reading.segment, reading.start, reading.end)
        return post(books, charges)


def post(books: Transaction, charges: Sequence[Charge]) -> int:
    """The steps of ``book`` within its transaction."""
    settled: dict[str, Settled] = {}
    reserved: dict[str, Reserved] = {}
    ended: set[str] = set()
    for charge in charges:
        if isinstance(charge, Reserved):
            reserved.setdefault(charge.attempt_id, charge)
            continue
        ended.add(charge.attempt_id)
        if isinstance(charge, Settled):
            settled.setdefault(charge.attempt_id, charge)
    new = books.settle(settled.values())
    spend, entries = spend_of(new), Entries()
    # What is reserved and ended here has no reservation yet. Should this page have been booked
    # before, and nobody know it, then its leases end what it left.
    release(books.end(ended - reserved.keys()), entries)
    hold(books.open([one for name, one in reserved.items() if name not in ended]), entries)
    bill(spend, entries)
    books.post(entries)
    books.add_spend(spend)
    return len(new)


def lapse(store: LedgerStore) -> int:
    """
    Release reservations whose lease is over: their process died, or could not say how they ended.
    How many; at most LAPSES_MAX. Should a settlement come after all, it is billed as ever.
    """
    if not store.overdue():
        return 0
    with store.begin(LAPSES) as books:
        entries = Entries()
        holds = books.lapse(LAPSES_MAX)
        release(holds, entries)
        books.post(entries)
    return len(holds)
