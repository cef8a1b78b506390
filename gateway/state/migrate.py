"""Bring a database to the schema that this version reads and writes."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from gateway.state.tables import REVISION

FOLDER = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = threading.Lock()  # Alembic keeps the command that runs in a global


def upgrade(engine: Engine) -> None:
    """
    Run the migrations that are missing; nothing happens when there are none.

    Two processes may try at once: one succeeds, the other fails with the database's own error and
    finds nothing to do when it tries again.
    """
    with engine.begin() as connection:
        if revision_of(connection) != REVISION:
            run_migrations(connection)


def revision_of(connection: Connection) -> str | None:
    """The newest migration that the database has seen, None in an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def run_migrations(connection: Connection) -> None:
    """Have Alembic run everything up to REVISION on *connection*."""
    from alembic import command  # here: a tenth of a second that almost no start needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    with ONE_AT_A_TIME:
        command.upgrade(config, REVISION)
