"""Which sessions are one call's, for every server."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Let sessions name their call, and who is heard in them."""
    op.add_column("sessions", sa.Column("call_id", sa.String(128)))
    op.add_column("sessions", sa.Column("speaker", sa.String(64)))
    op.create_index("sessions_call", "sessions", ["tenant", "call_id"])
