"""Finds what was said: full text over finals, by SQLite's FTS5 or PostgreSQL's text search.

Words are found in any case, with SQLite also without their accents; all words of a query must be in a final. The index
is the database's own, kept by it (migration 0005).
"""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, text

from dragoman.domain.events import TranscriptFinal, from_json
from dragoman.store.database import translated

_WORD: Final = re.compile(r"\w+")
_MOST_WORDS: Final = 32

_SQLITE: Final = text(
    "SELECT events.body, sessions.created_ms FROM finals JOIN events ON events.rowid = finals.rowid"
    " JOIN sessions ON sessions.session_id = events.session_id"
    " WHERE finals MATCH :words AND sessions.tenant = :tenant"
    " ORDER BY sessions.created_ms DESC, events.session_id, events.seq LIMIT :limit"
)
_POSTGRES: Final = text(
    "SELECT events.body, sessions.created_ms FROM events JOIN sessions ON sessions.session_id = events.session_id"
    " WHERE events.type = 'transcript.final' AND sessions.tenant = :tenant"
    " AND to_tsvector('simple', final_text(events.body)) @@ plainto_tsquery('simple', :words)"
    " ORDER BY sessions.created_ms DESC, events.session_id, events.seq LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A final in which all words of a query are, and when its session began (Unix time)."""

    final: TranscriptFinal
    created_ms: int


def search(engine: Engine, tenant: str, query: str, limit: int) -> list[Hit]:
    """Return what a tenant's sessions hold, newest session first; nothing, if the query has no words.

    Raises:
        StoreFailedError: if the database does not work.
    """
    words = _WORD.findall(query.lower())[:_MOST_WORDS]
    if not words:
        return []
    is_sqlite = engine.dialect.name == "sqlite"
    asked = " ".join(f'"{word}"' for word in words) if is_sqlite else " ".join(words)
    with translated(), engine.connect() as connection:
        rows = connection.execute(
            _SQLITE if is_sqlite else _POSTGRES, {"words": asked, "tenant": tenant, "limit": limit}
        ).all()
    found = [(from_json(row.body), row.created_ms) for row in rows]
    return [Hit(final, created_ms) for final, created_ms in found if isinstance(final, TranscriptFinal)]
