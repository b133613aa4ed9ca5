"""Tickets for browsers, which any server may be shown."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "tickets",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("streams", sa.BigInteger),
        sa.Column("minutes_per_day", sa.Float),
        sa.Column("bytes_per_day", sa.BigInteger),
        sa.Column("origin", sa.Text),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
