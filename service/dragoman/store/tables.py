"""The tables of the database, as the newest migration leaves them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", String(64), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("spec_json", Text, nullable=False),
    Column("tenant", String(64), nullable=False, server_default="default"),
    Column("owner", Text),
    Column("token_hash", Text),
    Column("last_seq", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("text", BigInteger, nullable=False),
    Column("lost", BigInteger, nullable=False),
    Column("discarded", BigInteger, nullable=False),
    Column("uploaded_bytes", BigInteger, nullable=False, server_default="0"),
    Index("sessions_owner", "owner", "created_ms"),
)

# ``key`` is what may be said once per session: a final by its utterance, a translation by utterance and target.
events = Table(
    "events",
    metadata,
    Column("session_id", String(64), ForeignKey("sessions.session_id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("type", String(64), nullable=False),
    Column("key", Text),
    Column("body", Text, nullable=False),
    UniqueConstraint("session_id", "key", name="events_key"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(8), primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("tenant", String(64), nullable=False, server_default="default"),
    Column("expires_ms", BigInteger),
    Column("streams", BigInteger),
    Column("minutes_per_day", Float),
    Column("bytes_per_day", BigInteger),
)
