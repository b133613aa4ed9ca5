"""Which server works on a session, and until when it is sure to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Let sessions be held."""
    op.add_column("sessions", sa.Column("holder", sa.String(64)))
    op.add_column("sessions", sa.Column("held_until_ms", sa.BigInteger))
    op.create_index("sessions_holder", "sessions", ["is_open", "holder"])
