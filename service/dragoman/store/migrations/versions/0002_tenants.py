"""Whose a session and a key is, how long a key lasts, and how much it allows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Give everything that is there to the default tenant."""
    op.add_column("sessions", sa.Column("tenant", sa.String(64), nullable=False, server_default="default"))
    op.add_column("sessions", sa.Column("uploaded_bytes", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("api_keys", sa.Column("tenant", sa.String(64), nullable=False, server_default="default"))
    op.add_column("api_keys", sa.Column("expires_ms", sa.BigInteger))
    op.add_column("api_keys", sa.Column("streams", sa.BigInteger))
    op.add_column("api_keys", sa.Column("minutes_per_day", sa.Float))
    op.add_column("api_keys", sa.Column("bytes_per_day", sa.BigInteger))
    op.create_index("sessions_owner", "sessions", ["owner", "created_ms"])
