"""
Tables of the ledger. Batches, entries and settlements are only ever appended to; reservations come
and go; balances and spend are sums of the others, kept so that nobody has to add them up.

In SQLite a table without row ids is its primary key's index and nothing beside it: half the bytes.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text

from gateway.state.metadata import metadata

# SQLite counts rows by itself only where the key is an INTEGER.
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

# One transaction: of the bookkeeper, or of an operator who says why.
batches = Table(
    "ledger_batches",
    metadata,
    Column("id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("wall_s", Float(53), nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("idempotency_key", Text),  # NULL: of the bookkeeper
    Index("ledger_batches_once", "idempotency_key", unique=True),
)

entries = Table(
    "ledger_entries",
    metadata,
    Column("account", Text, primary_key=True),
    Column("batch_id", BigInteger, primary_key=True),
    Column("amount_nano_usd", BigInteger, nullable=False),
    Column("wall_s", Float(53), nullable=False),
    sqlite_with_rowid=False,
)

balances = Table(
    "ledger_balances",
    metadata,
    Column("account", Text, primary_key=True),
    Column("amount_nano_usd", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The members of ``Reserved`` in their order, then what is ours.
reservations = Table(
    "ledger_reservations",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("on_credits", Boolean, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=False),
    Column("fee_nano_usd", BigInteger, nullable=False),
    Column("wall_s", Float(53), nullable=False),
    Column("lease_until_s", Float(53), nullable=False),
    Column("held_nano_usd", BigInteger, nullable=False),
    Column("lapsed_s", Float(53)),  # when the hold was released without a settlement
    Column("batch_id", BigInteger, nullable=False),
    Index("ledger_reservations_by_lease", "lapsed_s", "lease_until_s"),
    sqlite_with_rowid=False,
)

# The members of ``Settled`` in their order, then the batch.
settlements = Table(
    "ledger_settlements",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("on_credits", Boolean, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=False),
    Column("fee_nano_usd", BigInteger, nullable=False),
    Column("savings_nano_usd", BigInteger, nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("wall_s", Float(53), nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Settlements by minute. The indexes are for the limits: what one of them has spent since when.
spend = Table(
    "ledger_spend",
    metadata,
    Column("minute_s", BigInteger, primary_key=True),
    Column("tenant", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("on_credits", Boolean, primary_key=True),
    Column("attempts", BigInteger, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=False),
    Column("fee_nano_usd", BigInteger, nullable=False),
    Column("savings_nano_usd", BigInteger, nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("estimated", BigInteger, nullable=False),
    Index("ledger_spend_of_tenant", "tenant", "minute_s"),
    Index("ledger_spend_of_project", "project", "minute_s"),
    Index("ledger_spend_of_key", "key_id", "minute_s"),
    Index("ledger_spend_of_provider", "provider", "minute_s"),
    sqlite_with_rowid=False,
)

# How far each segment of each journal has been read, in the same transaction as what it said.
journals = Table(
    "ledger_journals",
    metadata,
    Column("segment", Text, primary_key=True),
    Column("read_bytes", BigInteger, nullable=False),
)
