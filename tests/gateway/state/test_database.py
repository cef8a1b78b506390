"""The file of a SQLite database is for our own user alone."""

from __future__ import annotations

from pathlib import Path

from gateway.core.clock import SystemClock
from gateway.state.database import open_engine
from gateway.state.fact_store import FactStore, Write
from gateway.state.facts import Tenant


def modes(folder: Path) -> dict[str, str]:
    """The permissions of everything in *folder*, and of the folder."""
    found = {path.name: path for path in (folder, *folder.iterdir())}
    return {name: oct(path.stat().st_mode & 0o777) for name, path in found.items()}


def write(path: Path) -> dict[str, str]:
    """Open a database at *path* and write to it; the permissions while it is open."""
    engine = open_engine(f"sqlite:///{path}")
    store = FactStore(engine, SystemClock())
    store.write([Write("tenant", "a", Tenant())], actor="ann", action="create")
    found = modes(path.parent)
    engine.dispose()
    return found


def test_nobody_else_reads_a_new_database(tmp_path):
    """Nor its log, nor what else comes into the folder."""
    assert write(tmp_path / "state" / "records.db") == {
        "state": "0o700",
        "records.db": "0o600",
        "records.db-wal": "0o600",
        "records.db-shm": "0o600",
    }


def test_what_was_there_keeps_its_permissions(tmp_path):
    """An operator may have opened it to a group on purpose."""
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o750)
    (folder / "records.db").touch()
    (folder / "records.db").chmod(0o640)

    found = write(folder / "records.db")

    assert (found["state"], found["records.db"]) == ("0o750", "0o640")
