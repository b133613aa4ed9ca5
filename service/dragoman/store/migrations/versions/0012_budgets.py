"""What tenants may spend, have spent, and have reserved."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables; what was heard before costs nothing any more."""
    op.add_column("sessions", sa.Column("metered", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE sessions SET metered = settled")
    op.create_table(
        "budgets",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("limit_micro", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "spending",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("month_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("spent_micro", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.BigInteger, nullable=False),
        sa.Column("characters", sa.BigInteger, nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
        sa.Column("completion_tokens", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "reservations",
        sa.Column("resource_id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("held_micro", sa.BigInteger, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("reservations_tenant", "reservations", ["tenant", "until_ms"])
