"""Tables of the facts: what operators decide, and who decided it when."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, Table, Text

from gateway.state.metadata import metadata

# SQLite counts rows by itself only where the key is an INTEGER.
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

facts = Table(
    "facts",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("payload", LargeBinary),  # NULL: deleted, kept so that replicas hear of it
    Index("facts_by_version", "version"),
)

# One row: the version of all facts. Writers wait for each other here, so versions have no gaps
# that a reader could overlook.
fact_version = Table(
    "fact_version",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("version", BigInteger, nullable=False),
    Column("wall_s", Float(53), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("before", LargeBinary),
    Column("after", LargeBinary),
    Index("audit_by_fact", "kind", "id", "seq"),
)
