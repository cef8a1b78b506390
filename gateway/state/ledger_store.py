"""
The ledger in SQLite or PostgreSQL: who has how much, and what was spent on what.

Blocks, usable from several threads. Every error of the database becomes
:class:`gateway.core.errors.Unavailable`, but for rows that it refuses for good: InternalError.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Engine, Select, case, delete, func, select, true
from sqlalchemy.engine import Connection

from gateway.core import accounts
from gateway.core.clock import Clock
from gateway.core.errors import Conflict, InternalError, InvalidRequest
from gateway.core.ids import request_id
from gateway.state import ledger_tables as tables
from gateway.state.database import INSERTS, make_file, translated
from gateway.state.ledger_transaction import MINUTE_S, SPEND_SUMS, Statements, Transaction
from gateway.state.migrate import upgrade

Scope = Literal["tenant", "project", "key", "provider"]
Group = Literal["tenant", "project", "key", "provider", "model", "day"]

DAY_S = 86_400
BOOKKEEPER = "bookkeeper"
SPEND = tables.spend.c
COLUMNS: dict[str, Any] = {
    "tenant": SPEND.tenant,
    "project": SPEND.project,
    "key": SPEND.key_id,
    "provider": SPEND.provider,
    "model": SPEND.model,
}


class Balance(msgspec.Struct, frozen=True):
    """
    Credits of a tenant: what it may spend (negative: what it owes), what is reserved, and all that
    it was ever given.
    """

    available_nano_usd: int = 0
    held_nano_usd: int = 0
    given_nano_usd: int = 0

    @property
    def used_nano_usd(self) -> int:
        """All that was ever billed."""
        return self.given_nano_usd - self.available_nano_usd - self.held_nano_usd


class Total(msgspec.Struct, frozen=True):
    """What was billed in one group; *group* holds its values in the order that was asked for."""

    group: tuple[str | int, ...]
    attempts: int
    cost_nano_usd: int
    fee_nano_usd: int
    savings_nano_usd: int
    tokens_in: int
    tokens_out: int
    estimated: int  # attempts without usage of the upstream's own


class LedgerCheck(msgspec.Struct, frozen=True):
    """Whether the books are right: the first two are zero and empty in any that are."""

    sum_nano_usd: int  # of all entries
    wrong_balances: tuple[str, ...]  # accounts whose entries do not sum to their balance
    open_reservations: int
    lapsed: int  # reservations that ended without a settlement


class LedgerStore:
    """The ledger of one database."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._prepared = False
        self._statements = Statements(engine.dialect)
        self._insert_batch = (
            INSERTS[engine.dialect.name](tables.batches)
            .on_conflict_do_nothing(index_elements=["idempotency_key"])
            .returning(tables.batches.c.id)
        )

    def prepare(self) -> None:
        """Create or migrate the schema, once. Raises Unavailable."""
        if not self._prepared:
            with translated():
                make_file(self._engine.url)
                upgrade(self._engine)
            self._prepared = True

    @contextlib.contextmanager
    def begin(self, kind: str, *, actor: str = BOOKKEEPER, note: str = "") -> Iterator[Transaction]:
        """A transaction that is committed at the end of the block, and undone by an exception."""
        with self._begin() as connection:
            batch = self._open_batch(connection, kind, actor, note)
            if batch is None:  # only an idempotency key can be there before
                raise InternalError("A batch of the ledger could not be begun.")
            yield batch

    def read_bytes(self, segment: str) -> int:
        """How far a segment of a journal has been read."""
        columns = tables.journals.c
        with self._begin() as connection:
            query = select(columns.read_bytes).where(columns.segment == segment)
            return connection.execute(query).scalar() or 0

    def forget_segments(self, segments: Collection[str]) -> None:
        """Of segments that are gone nobody asks again how far they were read."""
        gone = tables.journals.c.segment.in_(segments)
        with self._begin() as connection:
            connection.execute(delete(tables.journals).where(gone))

    def forget(self, before_s: float, limit: int) -> int:
        """
        Delete up to *limit* settlements, and as many lapsed reservations, of requests from before
        *before_s*; how many went. Their sums stay in every account and in the spend.
        """
        first = request_id(before_s)[: len("req_") + 12]  # request ids begin with their time
        gone = 0
        with self._begin() as connection:
            for table, done in (
                (tables.settlements, true()),
                (tables.reservations, tables.reservations.c.lapsed_s.is_not(None)),
            ):
                name = table.c.attempt_id
                old = select(name).where(name < first, table.c.wall_s < before_s, done)
                statement = delete(table).where(name.in_(old.order_by(name).limit(limit)))
                gone += connection.execute(statement).rowcount
        return gone

    def overdue(self) -> bool:
        """Whether there are reservations whose lease is over."""
        columns = tables.reservations.c
        over = columns.lapsed_s.is_(None) & (columns.lease_until_s < self._clock.wall())
        query = select(columns.attempt_id).where(over).limit(1)
        with self._begin() as connection:
            return connection.execute(query).first() is not None

    def top_up(
        self, tenant: str, nano_usd: int, *, note: str, by: str, idempotency_key: str
    ) -> Balance:
        """
        Credits that the tenant has paid for; the balance afterwards. The same key again changes
        nothing.

        Raises:
            InvalidRequest: the amount is not above 0.
            Conflict: the key was used for something else.
            Unavailable: the database does not answer.
        """
        if nano_usd <= 0:
            raise InvalidRequest("A top-up is above 0; take credits back by an adjustment.")
        return self._give(tenant, nano_usd, accounts.TOP_UPS, (by, note, idempotency_key))

    def adjust(
        self, tenant: str, nano_usd: int, *, note: str, by: str, idempotency_key: str
    ) -> Balance:
        """Credits given, or taken where negative, by hand. Raises as ``top_up``, for 0."""
        if nano_usd == 0:
            raise InvalidRequest("An adjustment of 0 changes nothing.")
        return self._give(tenant, nano_usd, accounts.ADJUSTMENTS, (by, note, idempotency_key))

    def balance(self, tenant: str) -> Balance:
        """Of one tenant; nothing where it is unknown."""
        with self._begin() as connection:
            return balance_of(connection, tenant)

    def balances(self) -> dict[str, Balance]:
        """Of every tenant that ever had an entry."""
        columns = tables.balances.c
        query = select(columns.account, columns.amount_nano_usd)
        query = query.where(columns.account.startswith(accounts.TENANT, autoescape=True))
        with self._begin() as connection:
            kept = amounts(connection.execute(query))
        tenants = {name.removeprefix(accounts.TENANT).rpartition("/")[0] for name in kept}
        return {tenant: read_balance(tenant, kept) for tenant in sorted(tenants)}

    def credits_used(self, tenant: str, until_s: float) -> int:
        """Nano-dollars ever billed to the credits of *tenant*, but in minutes from *until_s*."""
        cost = case((SPEND.on_credits, SPEND.cost_nano_usd), else_=0)
        later = select(func.sum(cost + SPEND.fee_nano_usd)).where(
            SPEND.tenant == tenant, SPEND.minute_s >= until_s
        )
        with self._begin() as connection:
            used = balance_of(connection, tenant).used_nano_usd
            return used - int(connection.execute(later).scalar() or 0)

    def spend_between(
        self, scope: Scope, id_: str, since_s: float, until_s: float, *, bucket_s: int
    ) -> list[tuple[int, int]]:
        """
        What one of *scope* has spent from the minute of *since_s* to just before *until_s*: the
        start of each bucket that has anything in it, and its nano-dollars. *bucket_s* is a
        multiple of 60.

        For a provider it is the cost, else cost and fee.
        """
        cost, fee = SPEND.cost_nano_usd, SPEND.fee_nano_usd
        amount = cost if scope == "provider" else cost + fee
        start_s = (SPEND.minute_s - SPEND.minute_s % bucket_s).label("start_s")
        query = (
            select(start_s, func.sum(amount))
            .where(COLUMNS[scope] == id_)
            .where(SPEND.minute_s >= minute_of(since_s), SPEND.minute_s < until_s)
            .group_by(start_s)
            .order_by(start_s)
        )
        with self._begin() as connection:
            return [(int(at), int(spent)) for at, spent in connection.execute(query)]

    def totals(
        self,
        since_s: float,
        until_s: float,
        by: Sequence[Group],
        *,
        only: Mapping[Scope | Literal["model"], str] | None = None,
    ) -> list[Total]:
        """
        What was billed from the minute of *since_s* to just before *until_s*, one total for each
        combination of *by* (days are the seconds they begin at, UTC), in the order of these.
        *only* keeps to one of a scope.
        """
        day_s = SPEND.minute_s - SPEND.minute_s % DAY_S
        groups = [day_s if name == "day" else COLUMNS[name] for name in by]
        query: Select[Any] = (
            select(*groups, *(func.sum(SPEND[name]) for name in SPEND_SUMS))
            .where(SPEND.minute_s >= minute_of(since_s), SPEND.minute_s < until_s)
            .where(*(COLUMNS[name] == value for name, value in (only or {}).items()))
            .group_by(*groups)
            .order_by(*groups)
        )
        with self._begin() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        width = len(groups)
        return [
            Total(tuple(row[:width]), *map(int, row[width:]))
            for row in rows
            if row[width] is not None  # a sum over nothing
        ]

    def check(self) -> LedgerCheck:
        """Add everything up. Reads every entry: for tests, backups and doubts."""
        columns, held = tables.entries.c, tables.reservations.c
        summed = select(columns.account, func.sum(columns.amount_nano_usd)).group_by("account")
        with self._begin() as connection:
            sums = amounts(connection.execute(summed))
            kept = amounts(connection.execute(select(tables.balances)))
            count = select(func.count(held.attempt_id))
            open_ = connection.execute(count.where(held.lapsed_s.is_(None))).scalar_one()
            lapsed = connection.execute(count.where(held.lapsed_s.is_not(None))).scalar_one()
        names = sorted(sums.keys() | kept.keys())
        return LedgerCheck(
            sum_nano_usd=sum(sums.values()),
            wrong_balances=tuple(n for n in names if sums.get(n, 0) != kept.get(n, 0)),
            open_reservations=open_,
            lapsed=lapsed,
        )

    def _give(self, tenant: str, nano_usd: int, source: str, why: tuple[str, str, str]) -> Balance:
        """Credits from *source*; *why* is who did it, their note and the idempotency key."""
        entries = {
            accounts.available(tenant): nano_usd,
            accounts.given(tenant, source): -nano_usd,
        }
        with self._begin() as connection:
            batch = self._open_batch(connection, source.strip("/"), *why)
            if batch is not None:
                batch.post(entries)
            elif entries_of(connection, why[2]) != entries:
                raise Conflict("The idempotency key was used for something else.")
            return balance_of(connection, tenant)

    def _open_batch(
        self, connection: Connection, kind: str, actor: str, note: str, key: str | None = None
    ) -> Transaction | None:
        """A new batch, None where there is one with this idempotency key."""
        wall_s = self._clock.wall()
        # A write comes first, because SQLite lets no reader become a writer beside another one.
        row = {"wall_s": wall_s, "kind": kind, "actor": actor, "note": note}
        row["idempotency_key"] = key
        batch_id = connection.execute(self._insert_batch, row).scalar()
        if batch_id is None:
            return None
        return Transaction(connection, self._statements, batch_id, wall_s)

    @contextlib.contextmanager
    def _begin(self) -> Iterator[Connection]:
        self.prepare()
        with translated(), self._engine.begin() as connection:
            yield connection


def entries_of(connection: Connection, key: str) -> dict[str, int]:
    """What was posted under an idempotency key."""
    entries, batches = tables.entries.c, tables.batches.c
    query = select(entries.account, entries.amount_nano_usd)
    query = query.join_from(tables.entries, tables.batches, entries.batch_id == batches.id)
    return amounts(connection.execute(query.where(batches.idempotency_key == key)))


def balance_of(connection: Connection, tenant: str) -> Balance:
    """See ``LedgerStore.balance``."""
    columns = tables.balances.c
    names = (
        accounts.available(tenant),
        accounts.held(tenant),
        accounts.given(tenant, accounts.TOP_UPS),
        accounts.given(tenant, accounts.ADJUSTMENTS),
    )
    query = select(columns.account, columns.amount_nano_usd).where(columns.account.in_(names))
    return read_balance(tenant, amounts(connection.execute(query)))


def read_balance(tenant: str, kept: Mapping[str, int]) -> Balance:
    """Of the accounts of a tenant, as far as there are entries in them."""
    return Balance(
        available_nano_usd=kept.get(accounts.available(tenant), 0),
        held_nano_usd=kept.get(accounts.held(tenant), 0),
        given_nano_usd=-sum(
            kept.get(accounts.given(tenant, source), 0)
            for source in (accounts.TOP_UPS, accounts.ADJUSTMENTS)
        ),
    )


def amounts(rows: Iterable[Any]) -> dict[str, int]:
    """Rows of an account and its nano-dollars; PostgreSQL sums whole numbers to decimals."""
    return {account: int(amount) for account, amount in rows}


def minute_of(wall_s: float) -> int:
    """The beginning of the minute of *wall_s*."""
    return int(wall_s // MINUTE_S * MINUTE_S)
