"""The tables of the database, as the newest migration leaves them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

_UNOBSERVED = text("observed_seq < last_seq")

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
    Column("holder", String(64)),
    Column("held_until_ms", BigInteger),
    Column("observed_seq", BigInteger, nullable=False, server_default="0"),
    Column("metered", BigInteger, nullable=False, server_default="0"),
    Column("call_id", String(128)),
    Column("speaker", String(64)),
    Index("sessions_owner", "owner", "created_ms"),
    Index("sessions_call", "tenant", "call_id"),
    Index("sessions_holder", "is_open", "holder"),
    Index("sessions_unobserved", "created_ms", sqlite_where=_UNOBSERVED, postgresql_where=_UNOBSERVED),
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

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("owner", Text),
    Column("idempotency_key", String(255)),
    Column("request_hash", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    Column("state", String(16), nullable=False),
    Column("wishes_json", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("source", Text),
    Column("uploaded_bytes", BigInteger, nullable=False),
    Column("webhook_url", Text),
    Column("attempts", BigInteger, nullable=False),
    Column("worker", String(64)),
    Column("lease_until_ms", BigInteger),
    Column("done_ms", BigInteger, nullable=False),
    Column("duration_ms", BigInteger),
    Column("session_id", String(64)),
    Column("error_code", String(64)),
    Column("error_message", Text),
    UniqueConstraint("tenant", "idempotency_key", name="jobs_idempotency"),
    Index("jobs_waiting", "state", "created_ms"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("job_id", String(64), ForeignKey("jobs.job_id"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("actor", Text),
    Column("action", String(64), nullable=False),
    Column("resource", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)

# ``hash`` is that of the last entry that was retired; the first one that is left follows it.
audit_anchors = Table(
    "audit_anchors",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("retired_ms", BigInteger, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("session_id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("erased_ms", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("session_id", String(64), ForeignKey("sessions.session_id"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("actor", Text),
    Column("kind", String(16), nullable=False),
    Column("part", String(16), nullable=False),
    Column("target", String(64)),
    Column("utterance_id", String(64)),
    Column("rating", SmallInteger),
    Column("text", Text),
    Column("locale", String(64)),
    Column("comment", Text),
    Index("feedback_session", "session_id", "created_ms"),
    Index("feedback_tenant", "tenant", "created_ms"),
)

# ``resource_id`` is of a session or a job, ``subject`` a digest (``store/digest.py``): no id of a person is stored.
subjects = Table(
    "subjects",
    metadata,
    Column("resource_id", String(64), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Index("subjects_subject", "subject"),
)

# ``target`` is a session or the digest of a subject.
holds = Table(
    "holds",
    metadata,
    Column("hold_id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("target", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_ms", BigInteger, nullable=False),
    Column("released_ms", BigInteger),
    Index("holds_target", "target"),
)

# ``subject`` is gone once an erasure is done; ``counts`` is JSON.
erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64)),
    Column("asked_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
    Column("counts", Text, nullable=False),
    Index("erasures_subject", "subject"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("feedback_id", String(64), ForeignKey("feedback.feedback_id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("text", Text),
    Column("reason", Text),
    Column("actor", Text),
    Column("decided_ms", BigInteger, nullable=False),
)

# ``tally`` is a histogram (``domain/tally``): an hour of one figure, in one place.
signal_windows = Table(
    "signal_windows",
    metadata,
    Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant", String(64), primary_key=True),
    Column("signal", String(40), primary_key=True),
    Column("locale", String(80), primary_key=True),
    Column("engine", String(64), primary_key=True),
    Column("tally", Text, nullable=False),
)

objective_windows = Table(
    "objective_windows",
    metadata,
    Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant", String(64), primary_key=True),
    Column("objective", String(40), primary_key=True),
    Column("good", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("rule", String(64), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("is_firing", Boolean, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("severity", BigInteger, nullable=False),
    Column("message", Text, nullable=False),
)

alert_calls = Table(
    "alert_calls",
    metadata,
    Column("call_id", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("owner", Text),
    Column("streams", BigInteger),
    Column("minutes_per_day", Float),
    Column("bytes_per_day", BigInteger),
    Column("origin", Text),
    Column("until_ms", BigInteger, nullable=False),
    Column("caller_until_ms", BigInteger),
)

budgets = Table(
    "budgets",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("limit_micro", BigInteger, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("month_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("spent_micro", BigInteger, nullable=False),
    Column("samples", BigInteger, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("resource_id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("held_micro", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Index("reservations_tenant", "tenant", "until_ms"),
)
