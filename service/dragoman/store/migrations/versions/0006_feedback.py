"""What people say of a session's texts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "feedback",
        sa.Column("feedback_id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), sa.ForeignKey("sessions.session_id"), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("target", sa.String(64)),
        sa.Column("utterance_id", sa.String(64)),
        sa.Column("rating", sa.SmallInteger),
        sa.Column("text", sa.Text),
        sa.Column("locale", sa.String(64)),
        sa.Column("comment", sa.Text),
    )
    op.create_index("feedback_session", "feedback", ["session_id", "created_ms"])
    op.create_index("feedback_tenant", "feedback", ["tenant", "created_ms"])
