"""
Facts in SQLite or PostgreSQL: written by operators, read by every replica as changes.

Every write is one transaction with its line in the audit log, so the log is complete, and the
history of a fact (the versions of a rule set) is read from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Engine, func, select, update
from sqlalchemy.engine import Connection

from gateway.core.clock import Clock
from gateway.core.errors import Conflict, NotFound
from gateway.state import fact_tables as tables
from gateway.state.database import INSERTS, make_file, translated
from gateway.state.facts import Change, FactValue
from gateway.state.migrate import upgrade

COUNTER = "facts"
Ref = tuple[str, str]  # kind and id of a fact


class Outrun(Conflict):
    """Something was written after what the writer had seen."""


class Write(msgspec.Struct, frozen=True):
    """
    One fact to be written; *value* None deletes it. *expected* is the version of the fact that the
    writer has seen: 0 for none, None where it does not matter.
    """

    kind: str
    id: str
    value: FactValue | None
    expected: int | None = None


class AuditEntry(msgspec.Struct, frozen=True):
    """Who did what, and the fact before and after (JSON; None: there was none)."""

    seq: int
    version: int
    wall_s: float
    actor: str
    action: str
    kind: str
    id: str
    before: msgspec.Raw | None
    after: msgspec.Raw | None


class FactStore:
    """The facts of one database. Blocks; usable from several threads."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._prepared = False

    def prepare(self) -> None:
        """Create or migrate the schema, once. Raises Unavailable."""
        if not self._prepared:
            with translated():
                make_file(self._engine.url)
                upgrade(self._engine)
            self._prepared = True

    def write(
        self,
        writes: Sequence[Write],
        *,
        actor: str,
        action: str,
        leans_on: Sequence[Ref] = (),
        seen: int | None = None,
    ) -> int:
        """
        Write all of *writes* or nothing; the version of the facts afterwards. *leans_on*: what must
        be there, and cannot go meanwhile. *seen*: the version of all facts that the writer has made
        up its mind on.

        Raises:
            Conflict: a fact is not at the version that was expected, or leans on nothing.
            Outrun: somebody has written after *seen*.
            NotFound: a fact that is to be deleted is not there.
            Unavailable: the database does not answer.
        """
        now_s = self._clock.wall()
        with self._begin() as connection:
            version = self._next_version(connection)  # from here on nobody else writes
            if seen is not None and version != seen + 1:
                raise Outrun("Somebody else changes something all the time. Try again.")
            for kind, id_ in leans_on:
                if not exists(self._current(connection, kind, id_)):
                    raise Conflict(f"The {kind} '{id_}' was deleted meanwhile.")
            for write in writes:
                before = self._current(connection, write.kind, write.id)
                check_expected(write, before)
                after = None if write.value is None else msgspec.json.encode(write.value)
                self._put(connection, Change(write.kind, write.id, version, after))
                connection.execute(
                    tables.audit.insert().values(
                        version=version,
                        wall_s=now_s,
                        actor=actor,
                        action=action,
                        kind=write.kind,
                        id=write.id,
                        before=None if before is None else before.payload,
                        after=after,
                    )
                )
        return version

    def note(self, *, actor: str, action: str, kind: str, id_: str, detail: object = None) -> None:
        """Put into the audit log what changes no fact: a login, a top-up, a backup."""
        # In one statement, because SQLite lets no reader become a writer beside another one.
        current = select(func.coalesce(func.max(tables.fact_version.c.version), 0))
        with self._begin() as connection:
            connection.execute(
                tables.audit.insert().values(
                    version=current.scalar_subquery(),
                    wall_s=self._clock.wall(),
                    actor=actor,
                    action=action,
                    kind=kind,
                    id=id_,
                    before=None,
                    after=None if detail is None else msgspec.json.encode(detail),
                )
            )

    def find(self, kind: str, id_: str) -> Change | None:
        """One fact as it is now, None where there is none."""
        with self._begin() as connection:
            found = self._current(connection, kind, id_)
        return found if exists(found) else None

    def since(self, version: int) -> list[Change]:
        """Every fact that has changed after *version*, in order of version."""
        columns = tables.facts.c
        query = (
            select(columns.kind, columns.id, columns.version, columns.payload)
            .where(columns.version > version)
            .order_by(columns.version)
        )
        with self._begin() as connection:
            return [Change(*row) for row in connection.execute(query).all()]

    def version(self) -> int:
        """Of all facts: what changes with every write. Cheap."""
        with self._begin() as connection:
            return connection.execute(select(tables.fact_version.c.version)).scalar() or 0

    def history(
        self,
        kind: str | None = None,
        id_: str | None = None,
        *,
        before_seq: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """The newest *limit* lines of the audit log, newest first, of a kind or of one fact."""
        columns = tables.audit.c
        query = select(tables.audit).order_by(columns.seq.desc()).limit(limit)
        if kind is not None:
            query = query.where(columns.kind == kind)
        if id_ is not None:
            query = query.where(columns.id == id_)
        if before_seq is not None:
            query = query.where(columns.seq < before_seq)
        with self._begin() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            AuditEntry(**{**row, "before": raw(row["before"]), "after": raw(row["after"])})
            for row in rows
        ]

    def _next_version(self, connection: Connection) -> int:
        """Count one up; other writers wait until this transaction ends."""
        counter = tables.fact_version
        INSERT = INSERTS[self._engine.dialect.name](counter)  # noqa: N806 - a statement's class
        connection.execute(INSERT.values(name=COUNTER, version=0).on_conflict_do_nothing())
        counted = update(counter).values(version=counter.c.version + 1)
        return int(connection.execute(counted.returning(counter.c.version)).scalar_one())

    def _current(self, connection: Connection, kind: str, id_: str) -> Change | None:
        columns = tables.facts.c
        query = select(columns.kind, columns.id, columns.version, columns.payload)
        row = connection.execute(query.where(columns.kind == kind, columns.id == id_)).first()
        return None if row is None else Change(*row)

    def _put(self, connection: Connection, change: Change) -> None:
        insert = INSERTS[self._engine.dialect.name](tables.facts)
        statement = insert.on_conflict_do_update(
            index_elements=["kind", "id"],
            set_={name: insert.excluded[name] for name in ("version", "payload")},
        )
        connection.execute(statement, msgspec.structs.asdict(change))

    @contextlib.contextmanager
    def _begin(self) -> Iterator[Connection]:
        self.prepare()
        with translated(), self._engine.begin() as connection:
            yield connection


def check_expected(write: Write, before: Change | None) -> None:
    """
    Hold what the writer has seen against what is there.

    Raises:
        Conflict, NotFound: see ``FactStore.write``.
    """
    there = exists(before)
    if write.value is None and not there:
        raise NotFound(f"There is no {write.kind} '{write.id}'.")
    if write.expected is None:
        return
    version = before.version if before is not None and there else 0
    if version != write.expected:
        raise Conflict(
            f"The {write.kind} '{write.id}' is at version {version}, not {write.expected}: "
            "somebody else has changed it. Read it again."
            if there and write.expected
            else f"The {write.kind} '{write.id}' exists already."
            if there
            else f"There is no {write.kind} '{write.id}'."
        )


def exists(change: Change | None) -> bool:
    """Whether a fact is there, and was not deleted."""
    return change is not None and change.payload is not None


def raw(payload: bytes | None) -> msgspec.Raw | None:
    """*payload* as JSON that is not looked at."""
    return None if payload is None else msgspec.Raw(payload)
