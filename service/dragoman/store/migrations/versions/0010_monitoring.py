"""Figures of sessions by time, up to which event each session was counted, and the alerts that came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the windows; what was said before is not counted as if it were said now."""
    op.add_column("sessions", sa.Column("observed_seq", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE sessions SET observed_seq = last_seq")
    op.execute("CREATE INDEX sessions_unobserved ON sessions (created_ms) WHERE observed_seq < last_seq")
    op.create_table(
        "signal_windows",
        sa.Column("start_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("signal", sa.String(40), primary_key=True),
        sa.Column("locale", sa.String(80), primary_key=True),
        sa.Column("engine", sa.String(64), primary_key=True),
        sa.Column("tally", sa.Text, nullable=False),
    )
    op.create_table(
        "objective_windows",
        sa.Column("start_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("objective", sa.String(40), primary_key=True),
        sa.Column("good", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alerts",
        sa.Column("rule", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("is_firing", sa.Boolean, nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("severity", sa.BigInteger, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_calls",
        sa.Column("call_id", sa.String(64), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
    )
