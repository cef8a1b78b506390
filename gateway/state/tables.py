"""The schema of the record store as it is now; ``migrations/`` holds how it came to be."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, LargeBinary, Table, Text

from gateway.state import fact_tables, ledger_tables
from gateway.state.metadata import metadata

__all__ = ["REVISION", "fact_tables", "feedback", "ledger_tables", "metadata", "records", "views"]

REVISION = "0003"  # newest migration

# The payload is the whole record as JSON; the columns beside it are for the
# operator's own sums.
records = Table(
    "records",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("wall_s", Float(53), nullable=False),
    Column("project", Text, nullable=False),
    Column("task_type", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("model", Text, nullable=False),  # that answered, "" when none did
    Column("ending", Text, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=False),
    Column("savings_nano_usd", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    # One index, because every read is a stretch of time; each more costs every insert.
    Index("records_by_time", "wall_s", "request_id"),
)

views = Table(
    "views",
    metadata,
    Column("version", Text, primary_key=True),
    Column("used_s", Float(53), nullable=False),  # when a record last named it
    Column("payload", LargeBinary, nullable=False),
    Index("views_by_time", "used_s"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("wall_s", Float(53), nullable=False),
    Column("score", Float(53), nullable=False),
    Column("comment", Text, nullable=False),
    Index("feedback_by_time", "wall_s"),
)
