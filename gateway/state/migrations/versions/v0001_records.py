"""Records, the views they were decided on, and feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The first schema."""
    op.create_table(
        "records",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("wall_s", sa.Float(53), nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("task_type", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("ending", sa.Text, nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("savings_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("records_by_time", "records", ["wall_s", "request_id"])
    op.create_table(
        "views",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("used_s", sa.Float(53), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("views_by_time", "views", ["used_s"])
    op.create_table(
        "feedback",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("wall_s", sa.Float(53), nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
    )
    op.create_index("feedback_by_time", "feedback", ["wall_s"])


def downgrade() -> None:
    """Back to nothing."""
    op.drop_table("feedback")
    op.drop_table("views")
    op.drop_table("records")
