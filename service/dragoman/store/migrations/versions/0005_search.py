"""Finals can be searched, and what was done can be read and not changed.

The index follows the events by itself: what is deleted there is gone here.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_SQLITE = (
    "CREATE VIRTUAL TABLE finals USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')",
    """CREATE TRIGGER finals_said AFTER INSERT ON events WHEN new.type = 'transcript.final' BEGIN
        INSERT INTO finals (rowid, text) VALUES (new.rowid, json_extract(new.body, '$.text'));
    END""",
    """CREATE TRIGGER finals_erased AFTER DELETE ON events WHEN old.type = 'transcript.final' BEGIN
        DELETE FROM finals WHERE rowid = old.rowid;
    END""",
    """INSERT INTO finals (rowid, text)
        SELECT rowid, json_extract(body, '$.text') FROM events WHERE type = 'transcript.final'""",
    """CREATE TRIGGER audit_kept BEFORE UPDATE ON audit BEGIN
        SELECT RAISE(ABORT, 'the audit trail is not changed');
    END""",
    """CREATE TRIGGER audit_whole BEFORE DELETE ON audit BEGIN
        SELECT RAISE(ABORT, 'the audit trail is not shortened');
    END""",
)
_POSTGRES = (
    # What PostgreSQL's texts cannot hold (a zero character) is kept as it was said, and only not found.
    """CREATE FUNCTION final_text(body text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
        BEGIN RETURN (body::json) ->> 'text'; EXCEPTION WHEN OTHERS THEN RETURN ''; END $$""",
    """CREATE INDEX finals ON events USING gin (to_tsvector('simple', final_text(body)))
        WHERE type = 'transcript.final'""",
    """CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit trail is not changed'; END $$""",
    """CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_kept()""",
)


def upgrade() -> None:
    """Create the index, and the tables of what was done and what was erased."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "tombstones",
        sa.Column("session_id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("erased_ms", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)
