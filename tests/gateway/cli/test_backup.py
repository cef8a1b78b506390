"""``switchyard backup`` and ``switchyard restore``."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing

import pytest
from sqlalchemy.engine import make_url

from gateway.cli.backup import BackupError, back_up, pg_dump, put_back, sqlite_file
from gateway.config.settings import read_settings
from gateway.record.rows import Batch, record_row
from gateway.record.store import Store
from gateway.state.master_key import FILE
from tests.gateway.cli.desks import Terminal
from tests.gateway.record.records import make_record


@pytest.fixture
def terminal(tmp_path):
    """A terminal with a database that holds one key."""
    found = Terminal(tmp_path)
    found.run("keys", "create", "--id", "kept")
    return found


def settings_of(terminal):
    """The settings of its configuration."""
    return read_settings(terminal.config, {})


def test_there_and_back(terminal):
    """What was there at the backup is there again, and what came later is not."""
    copy = terminal.folder / "copy.db"
    told = terminal.run("backup", str(copy)).stdout
    assert FILE in told
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    terminal.run("keys", "create", "--id", "later")
    refused = terminal.run("restore", str(copy), status=1)
    assert "--force" in refused.stdout
    terminal.run("restore", str(copy), "--force")

    assert [key["id"] for key in terminal.json("keys", "list")] == ["kept"]
    left = {path.name for path in terminal.folder.iterdir() if path.name.startswith(".")}
    assert left <= {f".{FILE}"}


def test_into_an_empty_place(terminal, tmp_path):
    """A new machine needs no force."""
    copy = tmp_path / "copy.db"
    terminal.run("backup", str(copy))
    (tmp_path / "new").mkdir()
    other = Terminal(tmp_path / "new")
    other.run("restore", str(copy))

    (tmp_path / "new" / FILE).write_bytes((tmp_path / FILE).read_bytes())
    assert [key["id"] for key in other.json("keys", "list")] == ["kept"]


def test_while_it_is_written_to(terminal):
    """A backup is of one moment: whole transactions, and the database stays in use."""
    settings = settings_of(terminal)
    store = Store(settings.database_url)
    store.prepare()
    going, written = threading.Event(), []

    def write():
        number = 0
        while not going.is_set():
            rows = [record_row(make_record(number + k)) for k in range(10)]
            store.write(Batch(records=rows))
            number += 10
            written.append(number)
            going.wait(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    try:
        for turn in range(5):
            while len(written) < 3 * (turn + 1):
                going.wait(0.01)
            copy = terminal.folder / f"copy{turn}.db"
            back_up(settings, copy)
            with closing(sqlite3.connect(copy)) as database:
                counts.append(database.execute("SELECT count(*) FROM records").fetchone()[0])
    finally:
        going.set()
        writer.join()
        store.close()

    assert counts == sorted(counts)
    assert all(count % 10 == 0 for count in counts)
    assert 0 < counts[0] < counts[-1] <= written[-1]


def test_a_database_in_use_is_not_replaced(terminal):
    """Even while nobody writes to it."""
    settings = settings_of(terminal)
    copy = terminal.folder / "copy.db"
    back_up(settings, copy)
    store = Store(settings.database_url)
    store.find_record("none")
    with pytest.raises(BackupError, match="in use"):
        put_back(settings, copy, force=True)
    store.close()
    put_back(settings, copy, force=True)


def test_a_damaged_database_is_replaced(terminal):
    """That is what backups are for."""
    settings = settings_of(terminal)
    copy = terminal.folder / "copy.db"
    back_up(settings, copy)
    sqlite_file(settings.database_url).write_bytes(b"no database at all" * 1000)
    put_back(settings, copy, force=True)

    assert [key["id"] for key in terminal.json("keys", "list")] == ["kept"]


@pytest.mark.parametrize("kind", ["missing", "text", "foreign", "newer", "torn"])
def test_what_is_not_restored(terminal, kind):
    """What is no sound database of ours stays outside."""
    settings = settings_of(terminal)
    file = terminal.folder / "file.db"
    if kind == "text":
        file.write_text("no database" * 1000)
    elif kind == "foreign":
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE t (x)")
    elif kind in {"newer", "torn"}:
        back_up(settings, file)
    if kind == "newer":
        with closing(sqlite3.connect(file)) as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
            database.commit()
    if kind == "torn":
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    with pytest.raises(BackupError):
        put_back(settings, file, force=True)

    assert [key["id"] for key in terminal.json("keys", "list")] == ["kept"]


def test_what_is_not_overwritten(terminal):
    """Neither an older backup without force, nor the database by itself."""
    settings = settings_of(terminal)
    live = sqlite_file(settings.database_url)
    copy = terminal.folder / "copy.db"
    copy.write_text("older")
    for target, force in ((copy, False), (live, True)):
        with pytest.raises(BackupError):
            back_up(settings, target, force=force)
    back_up(settings, copy, force=True)
    with pytest.raises(BackupError, match="itself"):
        put_back(settings, live, force=True)
    live.unlink()
    with pytest.raises(BackupError, match="no database yet"):
        back_up(settings, copy, force=True)


def test_postgresql_has_its_own(terminal):
    """The command is told, without the password."""
    url = "postgresql+psycopg://me:hunter2@db.example:5433/gateway"
    command = pg_dump(make_url(url))

    assert command == (
        "pg_dump --format=custom --file=switchyard.dump --host=db.example --port=5433 "
        "--username=me gateway"
    )
    terminal.config.write_text(f"state: {{database_url: '{url}'}}")
    refused = terminal.run("backup", "x.db", status=1)
    assert "pg_dump" in refused.stdout
    assert "hunter2" not in refused.stdout
    with pytest.raises(BackupError, match="in memory"):
        sqlite_file("sqlite://")


def test_a_folder_that_is_not_there(terminal, tmp_path):
    """The message says what to do."""
    target = tmp_path / "nosuch" / "x.db"

    assert f"There is no folder {target.parent}; make it first." in (
        terminal.run("backup", str(target), status=1).stdout
    )
