"""Run by Alembic for every command: hands it the connection that the caller has opened."""

from __future__ import annotations

from alembic import context

from gateway.state.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
