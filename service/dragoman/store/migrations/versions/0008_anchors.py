"""The oldest entries of the audit trail may be retired: what follows them is anchored to the last of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SQLITE = (
    "DROP TRIGGER audit_whole",
    """CREATE TRIGGER audit_whole BEFORE DELETE ON audit
        WHEN old.seq > coalesce((SELECT max(seq) FROM audit_anchors), 0) BEGIN
        SELECT RAISE(ABORT, 'the audit trail is not shortened');
    END""",
    """CREATE TRIGGER audit_anchors_kept BEFORE UPDATE ON audit_anchors BEGIN
        SELECT RAISE(ABORT, 'the anchors of the audit trail are not changed');
    END""",
    """CREATE TRIGGER audit_anchors_whole BEFORE DELETE ON audit_anchors BEGIN
        SELECT RAISE(ABORT, 'the anchors of the audit trail are not removed');
    END""",
)
_POSTGRES = (
    "DROP TRIGGER audit_kept ON audit",
    """CREATE TRIGGER audit_kept BEFORE UPDATE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_kept()""",
    """CREATE FUNCTION audit_whole() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF old.seq > coalesce((SELECT max(seq) FROM audit_anchors), 0) THEN
                RAISE EXCEPTION 'the audit trail is not shortened';
            END IF;
            RETURN old;
        END $$""",
    """CREATE TRIGGER audit_whole BEFORE DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_whole()""",
    """CREATE TRIGGER audit_anchors_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_anchors
        FOR EACH STATEMENT EXECUTE FUNCTION audit_kept()""",
)


def upgrade() -> None:
    """Create the table, and let go of what an anchor stands for, and of nothing else."""
    op.create_table(
        "audit_anchors",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("retired_ms", sa.BigInteger, nullable=False),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)
