"""Bring a database to the schema that this version reads and writes."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from gateway.state.tables import REVISION

FOLDER = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = threading.Lock()  # Alembic keeps the command that runs in a global
# What lets one process of all migrate, until its transaction ends.
LOCKS = {
    "postgresql": ("SELECT pg_advisory_xact_lock(7021974)",),  # any number that others do not take
    "sqlite": ("COMMIT", "BEGIN IMMEDIATE"),  # of the transaction that has begun without a lock
}


def upgrade(engine: Engine) -> None:
    """
    Run the migrations that are missing; nothing happens when there are none. Of processes that
    start at once one runs them, and the others wait for it.
    """
    with engine.begin() as connection:
        if revision_of(connection) == REVISION:
            return
    with engine.begin() as connection:
        for statement in LOCKS[engine.dialect.name]:
            connection.exec_driver_sql(statement)
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
