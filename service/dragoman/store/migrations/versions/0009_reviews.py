"""What became of what people said: accepted, or rejected and why."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "reviews",
        sa.Column("feedback_id", sa.String(64), sa.ForeignKey("feedback.feedback_id"), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("actor", sa.Text),
        sa.Column("decided_ms", sa.BigInteger, nullable=False),
    )
