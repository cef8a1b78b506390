"""Connections to the databases we can write to, and what their errors mean to us."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from gateway.core.errors import InternalError, Unavailable

WAIT_S = 5  # for a lock, a connection or a free place in the pool
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",  # readers and the writer do not wait for each other
    "PRAGMA synchronous=NORMAL",  # a power cut loses the last commits, never the file
    f"PRAGMA busy_timeout={WAIT_S * 1000}",
    "PRAGMA journal_size_limit=67108864",  # bytes the log keeps after a long read
)
# Insert statements that say what happens on a conflict are not part of the common SQL.
INSERTS: dict[str, Callable[[Table], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def open_engine(url: str) -> Engine:
    """
    An engine whose connections never wait without a limit; nothing is connected yet.

    Raises:
        Unavailable: see Store.
    """
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        if kind not in INSERTS:
            raise Unavailable(f"state.database_url: {kind} is not {' or '.join(INSERTS)}.")
        if kind == "sqlite":
            return sqlite_engine(parsed)
        return create_engine(
            parsed,
            hide_parameters=True,  # errors must not show what clients said
            pool_timeout=WAIT_S,
            pool_pre_ping=True,
            connect_args={"connect_timeout": WAIT_S},
        )
    except (ArgumentError, ImportError) as error:
        raise Unavailable(f"state.database_url: {error}") from error


def sqlite_engine(url: URL) -> Engine:
    """An engine on a file or on memory."""
    engine = create_engine(
        url,
        hide_parameters=True,
        poolclass=QueuePool,
        # In memory there is one connection, as each more would be another database.
        **({} if on_disk(url) else {"pool_size": 1, "max_overflow": 0}),
        pool_timeout=WAIT_S,
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", prepare_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def on_disk(url: URL) -> bool:
    """Whether a SQLite *url* names a file."""
    return bool(url.database) and url.database != ":memory:"


def make_file(url: URL) -> None:
    """
    Create the file of a SQLite *url*, and the folder it is in, where they are not there: for our
    own user alone, which SQLite then keeps for the files beside it. Raises OSError.
    """
    if url.get_backend_name() != "sqlite" or not on_disk(url):
        return
    path = Path(url.database or "")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)


def prepare_sqlite(connection: Any, _: object) -> None:
    """Settings of a new SQLite connection. Transactions are begun by begin_sqlite alone."""
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def begin_sqlite(connection: Connection) -> None:
    """Begin for real: Python's driver would leave reads and schema changes outside."""
    connection.exec_driver_sql("BEGIN")


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of databases and their files into ours; clients may read the message."""
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise InternalError("The record store refused a row.") from error
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable("The record store does not answer.") from error
