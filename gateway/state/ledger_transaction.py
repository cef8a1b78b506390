"""
One transaction of the ledger: what the bookkeeper does to the tables, step by step.

Each step says what was new to it, so whoever repeats a step, after a crash or beside another
process, posts nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Dialect, bindparam, delete, select, update
from sqlalchemy.engine import Connection

from gateway.core.charges import Reserved, Settled
from gateway.core.errors import InternalError
from gateway.state import ledger_tables as tables
from gateway.state.bulk import Bulk
from gateway.state.database import INSERTS

MINUTE_S = 60
SPEND_SUMS = (
    "attempts",
    "cost_nano_usd",
    "fee_nano_usd",
    "savings_nano_usd",
    "tokens_in",
    "tokens_out",
    "estimated",
)

# Minute (wall clock), tenant, project, key, provider, model, whether on credits: the first columns
# of ``spend``, with the sums of SPEND_SUMS.
SpendKey = tuple[int, str, str, str, str, str, bool]
Spend = dict[SpendKey, list[int]]


class Hold(msgspec.Struct, frozen=True):
    """Credits of a tenant that are set apart for one attempt."""

    attempt_id: str
    tenant: str
    nano_usd: int


class Moved(Exception):
    """Somebody else has read on in this segment; nothing of this transaction counts."""


class Statements:
    """The statements of every transaction, made once for each database."""

    def __init__(self, dialect: Dialect) -> None:
        self.settle = Bulk(tables.settlements, dialect)
        self.post = Bulk(tables.entries, dialect)
        self.balance = Bulk(tables.balances, dialect, adds=("amount_nano_usd",))
        self.spend = Bulk(tables.spend, dialect, adds=SPEND_SUMS)
        insert = INSERTS[dialect.name]
        segment, read = tables.journals.c.segment, tables.journals.c.read_bytes
        self.begin_segment = insert(tables.journals).on_conflict_do_nothing().returning(segment)
        self.advance = (
            update(tables.journals)
            .where(segment == bindparam("name"), read == bindparam("start"))
            .values(read_bytes=bindparam("end"))
            .returning(segment)
        )
        self.open = Bulk(tables.reservations, dialect)
        ids: BindParameter[str] = bindparam("ids", expanding=True)
        settled, held = tables.settlements.c, tables.reservations.c
        gone = delete(tables.reservations).where(held.attempt_id.in_(ids))
        self.end = gone.returning(*HOLD, held.lapsed_s)
        batches = select(settled.attempt_id, settled.batch_id)
        self.find_settled = batches.where(settled.attempt_id.in_(ids))
        self.find_open = select(held.attempt_id, held.batch_id).where(held.attempt_id.in_(ids))


class Transaction:
    """Open from ``LedgerStore.begin`` on, and committed at the end of it or not at all."""

    def __init__(
        self, connection: Connection, statements: Statements, batch_id: int, wall_s: float
    ) -> None:
        self.batch_id = batch_id
        self.wall_s = wall_s
        self._connection = connection
        self._statements = statements

    def advance(self, segment: str, start: int, end: int) -> None:
        """
        Note that *segment* is read up to *end*.

        Raises:
            Moved: it was not read up to *start*.
        """
        if start == 0:
            row = {"segment": segment, "read_bytes": end}
            done = self._connection.execute(self._statements.begin_segment, row)
        else:
            row = {"name": segment, "start": start, "end": end}
            done = self._connection.execute(self._statements.advance, row)
        if done.first() is None:
            raise Moved

    def settle(self, settlements: Collection[Settled]) -> list[Settled]:
        """Note what is billed, each attempt once ever; those that were not noted before."""
        rows = [(*msgspec.structs.astuple(one), self.batch_id) for one in settlements]
        rows.sort()  # by attempt, so that two writers do not lock each other
        if self._statements.settle.run(self._connection, rows) == len(rows):
            return list(settlements)
        ours = self._batches(self._statements.find_settled, settlements)
        return [one for one in settlements if ours[one.attempt_id] == self.batch_id]

    def open(self, reservations: Collection[Reserved]) -> list[Hold]:
        """Note attempts in flight; the holds of those that are new and not settled."""
        if not reservations:
            return []
        ended = self._batches(self._statements.find_settled, reservations)
        new = [one for one in reservations if one.attempt_id not in ended]
        rows = [
            (*msgspec.structs.astuple(one), one.credits_nano_usd, None, self.batch_id)
            for one in new
        ]
        rows.sort()
        if self._statements.open.run(self._connection, rows) != len(rows):
            ours = self._batches(self._statements.find_open, new)
            new = [one for one in new if ours[one.attempt_id] == self.batch_id]
        return [Hold(one.attempt_id, one.tenant, one.credits_nano_usd) for one in new]

    def end(self, attempt_ids: Collection[str]) -> list[Hold]:
        """Forget reservations; the holds of those that had not lapsed."""
        if not attempt_ids:
            return []
        ids = {"ids": sorted(attempt_ids)}
        rows = self._connection.execute(self._statements.end, ids)
        return [Hold(*row[:3]) for row in rows if row.lapsed_s is None]

    def lapse(self, limit: int) -> list[Hold]:
        """Flag up to *limit* reservations whose lease is over; their holds."""
        columns = tables.reservations.c
        over = columns.lapsed_s.is_(None) & (columns.lease_until_s < self.wall_s)
        oldest = select(columns.attempt_id).where(over).order_by(columns.lease_until_s)
        flag = (
            update(tables.reservations)
            .where(columns.attempt_id.in_(oldest.limit(limit)), columns.lapsed_s.is_(None))
            .values(lapsed_s=self.wall_s)
        )
        return [Hold(*row) for row in self._connection.execute(flag.returning(*HOLD))]

    def post(self, entries: Mapping[str, int]) -> None:
        """
        Post *entries*, nano-dollars by account.

        Raises:
            InternalError: they do not sum to zero.
        """
        if sum(entries.values()) != 0:
            raise InternalError("Entries of the ledger do not sum to zero.")
        rows = sorted((account, amount) for account, amount in entries.items() if amount)
        self._statements.post.run(
            self._connection, [(name, self.batch_id, amount, self.wall_s) for name, amount in rows]
        )
        self._statements.balance.run(self._connection, rows)

    def add_spend(self, spend: Spend) -> None:
        """Add what is billed to the sums of its minutes."""
        rows = [(*key, *sums) for key, sums in sorted(spend.items())]
        self._statements.spend.run(self._connection, rows)

    def _batches(self, find: Any, charges: Iterable[Reserved | Settled]) -> dict[str, int]:
        """In which batch each of these attempts was noted, as far as it was."""
        ids = {"ids": [one.attempt_id for one in charges]}
        return {row[0]: row[1] for row in self._connection.execute(find, ids)}


def spend_of(settlements: Iterable[Settled]) -> Spend:
    """The sums of *settlements* by minute and by everything that anybody asks for."""
    spend: Spend = {}
    for one in settlements:
        key = (
            int(one.wall_s) // MINUTE_S * MINUTE_S,
            one.tenant,
            one.project,
            one.key_id,
            one.provider,
            one.model,
            one.on_credits,
        )
        sums = spend.get(key)
        if sums is None:
            sums = spend[key] = [0] * len(SPEND_SUMS)
        sums[0] += 1
        sums[1] += one.cost_nano_usd
        sums[2] += one.fee_nano_usd
        sums[3] += one.savings_nano_usd
        sums[4] += one.tokens_in
        sums[5] += one.tokens_out
        sums[6] += one.estimated
    return spend


HOLD = (
    tables.reservations.c.attempt_id,
    tables.reservations.c.tenant,
    tables.reservations.c.held_nano_usd,
)
