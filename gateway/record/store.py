"""
The record store: SQLite in a file or in memory, or PostgreSQL. All SQL of the gateway is here.

Everything blocks, so nothing of it runs on the event loop. Every error of the database becomes
:class:`gateway.core.errors.Unavailable`, but for rows that it refuses for good: InternalError.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Table, delete, func, not_, select, tuple_
from sqlalchemy.engine import Connection

from gateway.decide.ask import UNCLASSIFIED
from gateway.record.record import Record, View
from gateway.record.rows import Batch, Judged, read_record, read_view
from gateway.state import tables
from gateway.state.database import INSERTS, make_file, on_disk, open_engine, translated
from gateway.state.migrate import upgrade

log = logging.getLogger(__name__)

PAGE = 500  # records in memory while many are read
# In the payload of records whose task type and tier are a guess. Quotes in a client's text are
# escaped, so that it cannot look like this.
GUESSED = tuple(f'"stage":"{stage}"'.encode() for stage in sorted(UNCLASSIFIED))
# Whether bytes hold others is not part of the common SQL.
HOLDS: dict[str, Callable[[Any, bytes], Any]] = {
    "sqlite": lambda column, part: func.instr(column, part) > 0,
    "postgresql": lambda column, part: column.op("LIKE", is_comparison=True)(b"%" + part + b"%"),
}


class Store:
    """
    Records, views and feedback by SQLAlchemy URL. Usable from several threads.

    Raises:
        Unavailable: there is no such kind of database, or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._prepared = False
        insert = INSERTS[self._engine.dialect.name]
        self._holds = HOLDS[self._engine.dialect.name]
        self._insert_record = insert(tables.records).on_conflict_do_nothing()
        view, said = insert(tables.views), insert(tables.feedback)
        self._upsert_view = view.on_conflict_do_update(
            index_elements=["version"], set_={"used_s": view.excluded.used_s}
        )
        self._upsert_feedback = said.on_conflict_do_update(
            index_elements=["request_id", "key_id"],
            set_={name: said.excluded[name] for name in ("wall_s", "score", "comment")},
            where=said.excluded.wall_s >= tables.feedback.c.wall_s,
        )

    @property
    def lasting(self) -> bool:
        """Whether another process finds what this one has stored."""
        url = self._engine.url
        return url.get_backend_name() != "sqlite" or on_disk(url)

    def prepare(self) -> None:
        """Create or migrate the schema, once."""
        if self._prepared:
            return
        with translated():
            make_file(self._engine.url)
            upgrade(self._engine)
        self._prepared = True

    def write(self, batch: Batch) -> None:
        """
        Store all of *batch* or nothing. Writing it again, and also later, changes nothing: the
        first record of an id stays, and the newest feedback.
        """
        with self._begin() as connection:
            if batch.views:
                connection.execute(self._upsert_view, batch.views)
            if batch.records:
                connection.execute(self._insert_record, batch.records)
            if batch.feedback:
                connection.execute(self._upsert_feedback, batch.feedback)

    def find_record(self, request_id: str) -> Record | None:
        """The record of one request, None when there is no readable one."""
        payload = self._payload(tables.records, tables.records.c.request_id == request_id)
        return read_record(payload) if payload is not None else None

    def find_view(self, version: str) -> View | None:
        """What decisions of this view version saw, None when it is not stored."""
        payload = self._payload(tables.views, tables.views.c.version == version)
        return read_view(payload) if payload is not None else None

    def read_records(
        self,
        since_s: float,
        until_s: float,
        limit: int | None = None,
        project: str | None = None,
    ) -> Iterator[Record]:
        """
        The first *limit* records from *since_s* to just before *until_s*, in order of time; of
        one *project*, None: of all.

        Only a page is in memory, and no transaction is open while the caller works. Records of a
        shape that this version cannot read are left out, and the log says how many.
        """
        columns = tables.records.c
        place = tuple_(columns.wall_s, columns.request_id)
        last = (since_s, "")
        left, unreadable = limit, 0
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            query = (
                select(columns.wall_s, columns.request_id, columns.payload)
                .where(place > last, columns.wall_s < until_s)
                .order_by(columns.wall_s, columns.request_id)
                .limit(size)
            )
            if project is not None:
                query = query.where(columns.project == project)
            with self._begin() as connection:
                page = connection.execute(query).all()
            for _, _, payload in page:
                record = read_record(payload)
                if record is None:
                    unreadable += 1
                else:
                    yield record
            if len(page) < size:
                break
            last = (page[-1].wall_s, page[-1].request_id)
            left = None if left is None else left - size
        if unreadable:
            log.warning("%d records have an unknown shape and were left out", unreadable)

    def start_of_newest(
        self, since_s: float, until_s: float, limit: int, project: str | None = None
    ) -> float:
        """When the newest *limit* records between the two begin; *since_s* where there are less."""
        columns = tables.records.c
        query = (
            select(columns.wall_s)
            .where(columns.wall_s >= since_s, columns.wall_s < until_s)
            .order_by(columns.wall_s.desc())
            .offset(limit - 1)
            .limit(1)
        )
        if project is not None:
            query = query.where(columns.project == project)
        with self._begin() as connection:
            start: float | None = connection.execute(query).scalar()
        return since_s if start is None else start

    def oldest_feedback_s(self) -> float | None:
        """When the oldest feedback that is kept came; None without any."""
        with self._begin() as connection:
            oldest: float | None = connection.execute(
                select(func.min(tables.feedback.c.wall_s))
            ).scalar()
        return oldest

    def count_feedback(self, since_s: float, until_s: float) -> int:
        """How much feedback came from *since_s* to just before *until_s*; reads an index only."""
        said = tables.feedback.c
        query = select(func.count()).where(said.wall_s >= since_s, said.wall_s < until_s)
        with self._begin() as connection:
            count: int = connection.execute(query).scalar_one()
        return count

    def sum_feedback(
        self, since_s: float, until_s: float, projects: Sequence[str] = ()
    ) -> list[Judged]:
        """
        Feedback of *projects* (none: of all) from *since_s* to just before *until_s*, summed up by
        the database for each model, task type and tier. What nobody answered, nobody classified,
        or is no longer kept, is left out.
        """
        records, said = tables.records.c, tables.feedback.c
        kind = (records.model, records.task_type, records.tier)
        query = (
            select(*kind, func.count().label("samples"), func.sum(said.score).label("score"))
            .join_from(tables.feedback, tables.records, said.request_id == records.request_id)
            .where(said.wall_s >= since_s, said.wall_s < until_s, records.model != "")
            .where(*(not_(self._holds(records.payload, part)) for part in GUESSED))
            .group_by(*kind)
            .order_by(*kind)
        )
        if projects:
            query = query.where(records.project.in_(projects))
        with self._begin() as connection:
            return [Judged(**row) for row in connection.execute(query).mappings()]

    def forget(self, before_s: float, limit: int) -> int:
        """
        Delete up to *limit* rows of each table that are older than *before_s*; how many went.

        The database does it by itself: no row comes here.
        """
        gone = 0
        with self._begin() as connection:
            for table, age in (
                (tables.records, tables.records.c.wall_s),
                (tables.views, tables.views.c.used_s),
                (tables.feedback, tables.feedback.c.wall_s),
            ):
                key = tuple_(*table.primary_key.columns)
                old = select(*table.primary_key.columns).where(age < before_s)
                statement = delete(table).where(key.in_(old.order_by(age).limit(limit)))
                gone += connection.execute(statement).rowcount
        return gone

    def close(self) -> None:
        """Close all connections. A store in memory is gone then."""
        self._engine.dispose()

    def _payload(self, table: Table, condition: Any) -> bytes | None:
        with self._begin() as connection:
            payload: bytes | None = connection.execute(
                select(table.c.payload).where(condition)
            ).scalar()
        return payload

    @contextlib.contextmanager
    def _begin(self) -> Iterator[Connection]:
        with translated(), self._engine.begin() as connection:
            yield connection
