"""Migrations lead from an empty database to the tables that the store uses."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from gateway.state import migrate
from gateway.state.database import open_engine
from gateway.state.tables import REVISION, metadata


@pytest.fixture
def engine(tmp_path):
    """An empty database."""
    opened = open_engine(f"sqlite:///{tmp_path}/records.db")
    yield opened
    opened.dispose()


def scripts():
    """The migrations as Alembic sees them."""
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    return ScriptDirectory.from_config(config)


def test_migrations_end_at_the_tables(engine):
    """What the migrations build is what tables.py says, nothing more or less."""
    migrate.upgrade(engine)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == []


def test_upgrading_again_does_nothing(engine, monkeypatch):
    """A database at the newest revision is not touched, and Alembic is not asked."""
    migrate.upgrade(engine)
    monkeypatch.setattr(migrate, "run_migrations", None)
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert migrate.revision_of(connection) == REVISION


def test_the_newest_migration_is_the_one_we_ask_for():
    """REVISION names the one head, so a new migration cannot be forgotten."""
    assert scripts().get_heads() == [REVISION]


def test_every_migration_can_be_undone(engine):
    """Downgrading to nothing leaves no table behind."""
    migrate.upgrade(engine)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            for script in scripts().walk_revisions():
                script.module.downgrade()

    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_a_failed_migration_leaves_nothing(tmp_path, monkeypatch):
    """Schema changes are part of the transaction, so the next start begins again from nothing."""
    engine = open_engine(f"sqlite:///{tmp_path}/records.db")
    whole = migrate.run_migrations

    def break_off(connection):
        whole(connection)
        raise OSError("disk full")

    monkeypatch.setattr(migrate, "run_migrations", break_off)
    with pytest.raises(OSError, match="disk full"):
        migrate.upgrade(engine)

    assert inspect(engine).get_table_names() == []
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_many_at_once_one_migrates(request, tmp_path, monkeypatch, kind):
    """The others wait for it and find nothing to do, whatever each had seen before."""
    url = f"sqlite:///{tmp_path}/records.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_server").create("crowd")
    engines = [open_engine(url) for _ in range(5)]
    whole, read = migrate.run_migrations, migrate.revision_of
    together, ran = threading.Barrier(len(engines)), []
    first = threading.local()

    def revision_of(connection):
        found = read(connection)
        if not getattr(first, "seen", False):
            first.seen = True
            together.wait()
        return found

    def run_migrations(connection):
        ran.append(connection)
        whole(connection)

    monkeypatch.setattr(migrate, "revision_of", revision_of)
    monkeypatch.setattr(migrate, "run_migrations", run_migrations)
    with ThreadPoolExecutor(len(engines)) as threads:
        list(threads.map(migrate.upgrade, engines))  # raises what one of them has raised
    with engines[0].connect() as connection:
        assert read(connection) == REVISION
    for engine in engines:
        engine.dispose()

    assert len(ran) == 1
