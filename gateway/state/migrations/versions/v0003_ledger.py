"""The ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

AMOUNTS = ("cost_nano_usd", "fee_nano_usd", "savings_nano_usd", "tokens_in", "tokens_out")
SCOPES = ("tenant", "project", "key_id", "provider")


def upgrade() -> None:
    """Tables of the ledger."""
    create_books()
    create_charges()
    create_sums()


def create_books() -> None:
    """Double entry."""
    sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "ledger_batches",
        sa.Column("id", sequence, primary_key=True, autoincrement=True),
        sa.Column("wall_s", sa.Float(53), nullable=False),
        *texts("kind", "actor", "note"),
        sa.Column("idempotency_key", sa.Text),
    )
    op.create_index("ledger_batches_once", "ledger_batches", ["idempotency_key"], unique=True)
    op.create_table(
        "ledger_entries",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("batch_id", sa.BigInteger, primary_key=True),
        *counts("amount_nano_usd"),
        sa.Column("wall_s", sa.Float(53), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_balances",
        sa.Column("account", sa.Text, primary_key=True),
        *counts("amount_nano_usd"),
        sqlite_with_rowid=False,
    )


def create_charges() -> None:
    """What is reserved, and what was settled."""
    op.create_table(
        "ledger_reservations",
        sa.Column("attempt_id", sa.Text, primary_key=True),
        *texts("request_id", *SCOPES),
        sa.Column("on_credits", sa.Boolean, nullable=False),
        *counts("cost_nano_usd", "fee_nano_usd"),
        sa.Column("wall_s", sa.Float(53), nullable=False),
        sa.Column("lease_until_s", sa.Float(53), nullable=False),
        *counts("held_nano_usd"),
        sa.Column("lapsed_s", sa.Float(53)),
        *counts("batch_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ledger_reservations_by_lease", "ledger_reservations", ["lapsed_s", "lease_until_s"]
    )
    op.create_table(
        "ledger_settlements",
        sa.Column("attempt_id", sa.Text, primary_key=True),
        *texts("request_id", *SCOPES, "model"),
        sa.Column("on_credits", sa.Boolean, nullable=False),
        *counts(*AMOUNTS),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("wall_s", sa.Float(53), nullable=False),
        *counts("batch_id"),
        sqlite_with_rowid=False,
    )


def create_sums() -> None:
    """Spend by minute, and how far the journals were read."""
    op.create_table(
        "ledger_spend",
        sa.Column("minute_s", sa.BigInteger, primary_key=True),
        *(sa.Column(name, sa.Text, primary_key=True) for name in (*SCOPES, "model")),
        sa.Column("on_credits", sa.Boolean, primary_key=True),
        *counts("attempts", *AMOUNTS, "estimated"),
        sqlite_with_rowid=False,
    )
    for scope in SCOPES:
        name = f"ledger_spend_of_{scope.removesuffix('_id')}"
        op.create_index(name, "ledger_spend", [scope, "minute_s"])
    op.create_table(
        "ledger_journals",
        sa.Column("segment", sa.Text, primary_key=True),
        *counts("read_bytes"),
    )


def texts(*names: str) -> list[sa.Column[str]]:
    """Columns of text."""
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def counts(*names: str) -> list[sa.Column[int]]:
    """Columns of whole numbers."""
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def downgrade() -> None:
    """Back to facts and records."""
    for name in ("journals", "spend", "settlements", "reservations", "balances", "entries"):
        op.drop_table(f"ledger_{name}")
    op.drop_table("ledger_batches")
