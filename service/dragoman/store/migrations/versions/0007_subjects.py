"""Whose data sessions and jobs are, what must not be erased, and what was asked to be."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "subjects",
        sa.Column("resource_id", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
    )
    op.create_index("subjects_subject", "subjects", ["subject"])
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("placed_ms", sa.BigInteger, nullable=False),
        sa.Column("released_ms", sa.BigInteger),
    )
    op.create_index("holds_target", "holds", ["target"])
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64)),
        sa.Column("asked_ms", sa.BigInteger, nullable=False),
        sa.Column("done_ms", sa.BigInteger),
        sa.Column("counts", sa.Text, nullable=False),
    )
    op.create_index("erasures_subject", "erasures", ["subject"])
