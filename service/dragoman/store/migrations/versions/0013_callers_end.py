"""When what was shown for a ticket ends: the stream that it opens is asked again then."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column."""
    op.add_column("tickets", sa.Column("caller_until_ms", sa.BigInteger))
