"""``switchyard backup`` and ``switchyard restore``: the SQLite file, while it is in use or not."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy.engine import URL, make_url

from gateway.cli.check import settings_or_exit
from gateway.config.settings import Settings
from gateway.state.database import WAIT_S, on_disk
from gateway.state.master_key import FILE
from gateway.state.tables import REVISION

console = Console(soft_wrap=True)


class BackupError(Exception):
    """It cannot be done. The message says why, and what to do."""


def backup(config: Path | None, target: Path, *, force: bool) -> None:
    """Copy the database to *target*, also while a gateway writes to it."""
    settings = settings_or_exit(config)
    guarded(lambda: back_up(settings, target, force=force))
    console.print(f"{escape(str(target))} holds the database as it is now.")
    key = settings.state.folder / FILE
    if settings.state.master_key is None and key.exists():
        console.print(
            f"[yellow]Provider keys in it can only be read with the master key: keep "
            f"{escape(str(key))} too, elsewhere.[/]"
        )


def restore(config: Path | None, source: Path, *, force: bool) -> None:
    """Put *source* in the place of the database, which no gateway may be using."""
    settings = settings_or_exit(config)
    guarded(lambda: put_back(settings, source, force=force))
    console.print(f"The database is that of {escape(str(source))}.")


def guarded(work: Callable[[], None]) -> None:
    """Do *work*; its errors go to the console. Raises typer.Exit."""
    try:
        work()
    except OSError as error:
        console.print(f"[red]{escape(f'{error.filename}: {error.strerror}')}[/]")
        raise typer.Exit(1) from None
    except (BackupError, sqlite3.Error) as error:
        console.print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(1) from None


def back_up(settings: Settings, target: Path, *, force: bool = False) -> None:
    """
    Copy the database by SQLite's own online backup: consistent, whatever is written meanwhile.
    The file appears whole or not at all, and only its owner can read it.

    Raises:
        BackupError: no SQLite file, or *target* is there already.
        sqlite3.Error, OSError.
    """
    source = sqlite_file(settings.database_url)
    if not source.is_file():
        raise BackupError(f"There is no database yet: no file {source}.")
    if target.exists() and not force:
        raise BackupError(f"{target} is there already; --force replaces it.")
    if target.exists() and target.samefile(source):
        raise BackupError(f"{target} is the database itself.")
    if not target.parent.is_dir():
        raise BackupError(f"There is no folder {target.parent}; make it first.")
    partial = fresh(target)
    try:
        with opened(source) as live, opened(partial) as copy:
            # In one step: one moment, and in WAL mode no writer waits. In several, each write
            # in between would make it begin again, for ever where there are many.
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        check(partial)
        sync(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def put_back(settings: Settings, source: Path, *, force: bool = False) -> None:
    """
    Replace the database by *source*, after a look at it; *force*, where there is one.

    Raises:
        BackupError: damaged, of a newer version of ours, or in the way of what is there.
        sqlite3.Error, OSError.
    """
    target = sqlite_file(settings.database_url)
    check(source)
    if target.exists():
        if source.samefile(target):
            raise BackupError(f"{source} is the database itself.")
        if not force:
            raise BackupError(
                f"{target} is there already; stop the gateway, and --force replaces it."
            )
        stop_if_used(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = fresh(target)
    try:
        with opened(source) as kept, opened(partial) as copy:
            kept.backup(copy)
        sync(partial)
        for end in ("-wal", "-shm"):  # the log of another database must not be replayed into it
            Path(f"{target}{end}").unlink(missing_ok=True)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def check(path: Path) -> None:
    """
    Look whether *path* is a sound database of ours.

    Raises:
        BackupError: it is not.
    """
    if not path.is_file():
        raise BackupError(f"There is no file {path}.")
    try:
        with opened(path, "ro") as database:
            found = database.execute("PRAGMA integrity_check").fetchone()[0]
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{path} is no database of Switchyard: {error}.") from None
    if found != "ok":
        raise BackupError(f"{path} is damaged: {found}")
    if row is None or row[0] > REVISION:
        revision = row[0] if row else "none"
        raise BackupError(f"{path} is of revision {revision}; this version knows {REVISION}.")


def stop_if_used(path: Path) -> None:
    """Raises BackupError where somebody has *path* open for writing at this very moment."""
    try:
        with closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as database:
            database.execute("PRAGMA locking_mode=EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError:
        raise BackupError(f"{path} is in use; stop the gateway first.") from None
    except sqlite3.DatabaseError:
        return  # damaged: that is why it is to be replaced


def sqlite_file(url: str) -> Path:
    """
    The file that *url* names.

    Raises:
        BackupError: another database, or none that is kept.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        raise BackupError(f"This is PostgreSQL, which has a better tool: {pg_dump(parsed)}")
    if parsed.get_backend_name() != "sqlite" or not on_disk(parsed):
        raise BackupError("The database is in memory: there is nothing to keep.")
    return Path(parsed.database or "")


def pg_dump(url: URL) -> str:
    """The command that backs a PostgreSQL database up; without the password."""
    parts = [
        "pg_dump --format=custom --file=switchyard.dump",
        f"--host={url.host}" if url.host else "",
        f"--port={url.port}" if url.port else "",
        f"--username={url.username}" if url.username else "",
        url.database or "",
    ]
    return " ".join(part for part in parts if part)


@contextlib.contextmanager
def opened(path: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """A connection to the file *path*, which must be there."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=WAIT_S)) as connection:
        yield connection


def fresh(target: Path) -> Path:
    """An empty file beside *target*, for its owner alone."""
    path = target.with_name(f".{target.name}.{os.getpid()}")
    os.close(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    return path


def sync(path: Path) -> None:
    """Have *path* on the disk and not only in memory."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
