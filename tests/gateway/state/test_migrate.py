"""Migrations lead from an empty database to the tables that the store uses."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from gateway.state import migrate
from gateway.state.database import open_engine
from gateway.state.tables import REVISION, metadata


@pytest.fixture
def engine(tmp_path):
    """An empty database."""
    opened = create_engine(f"sqlite:///{tmp_path}/records.db")
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
