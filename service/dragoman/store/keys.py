"""API keys: who may use the service, and for what. Only a hash of a key is kept."""

import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from sqlalchemy import Engine, Row, func, insert, select, update

from dragoman.domain.errors import KeyUnknownError
from dragoman.store import tables
from dragoman.store.database import WRITES, open_database, translated
from dragoman.store.digest import digest
from dragoman.store.scope import Scope as Scope

_FORM: Final = re.compile(r"dgm_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")

_KEYS = tables.api_keys.c


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a key; times are Unix time."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    created_ms: int
    revoked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. ``key`` is to be shown once: it cannot be had again."""

    key: str = field(repr=False)
    record: KeyRecord


class KeyStore:
    """The API keys in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine) -> None:
        self._reads = engine
        self._writes = engine.execution_options(**WRITES)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at a SQLAlchemy URL; see ``open_database``."""
        return cls(open_database(url))

    def create(self, name: str, scopes: Iterable[Scope]) -> NewKey:
        """Make a key; it holds 256 random bits."""
        key_id = secrets.token_hex(4)
        key = f"dgm_{key_id}_{secrets.token_urlsafe(32)}"
        record = KeyRecord(key_id, name, frozenset(scopes), _now_ms())
        row = {
            "key_id": key_id,
            "name": name,
            "hash": digest(key),
            "scopes": " ".join(sorted(record.scopes)),
            "created_ms": record.created_ms,
        }
        with translated(), self._writes.begin() as connection:
            connection.execute(insert(tables.api_keys), row)
        return NewKey(key, record)

    def revoke(self, key_id: str) -> None:
        """Make a key useless from now on; once is enough.

        Raises:
            KeyUnknownError: if there is no such key.
        """
        end = (
            update(tables.api_keys)
            .where(_KEYS.key_id == key_id)
            .values(revoked_ms=func.coalesce(_KEYS.revoked_ms, _now_ms()))
        )
        with translated(), self._writes.begin() as connection:
            if connection.execute(end).rowcount == 0:
                raise KeyUnknownError(f"There is no key with the id {key_id}; `dragoman keys list` shows them.")

    def verify(self, key: str) -> KeyRecord | None:
        """Return whose key it is, or ``None`` if it is none or revoked."""
        form = _FORM.fullmatch(key)
        if form is None:
            return None
        query = select(tables.api_keys).where(_KEYS.key_id == form[1], _KEYS.revoked_ms.is_(None))
        with translated(), self._reads.connect() as connection:
            row = connection.execute(query).one_or_none()
        return _record(row) if row is not None and hmac.compare_digest(row.hash, digest(key)) else None

    def any_active(self) -> bool:
        """Return whether there is a key that is not revoked."""
        query = select(_KEYS.key_id).where(_KEYS.revoked_ms.is_(None)).limit(1)
        with translated(), self._reads.connect() as connection:
            return connection.scalar(query) is not None

    def list(self) -> tuple[KeyRecord, ...]:
        """Return all keys, revoked ones too, oldest first."""
        query = select(tables.api_keys).order_by(_KEYS.created_ms, _KEYS.key_id)
        with translated(), self._reads.connect() as connection:
            return tuple(_record(row) for row in connection.execute(query))


def _record(row: Row[tuple[object, ...]]) -> KeyRecord:
    scopes = frozenset(Scope(scope) for scope in row.scopes.split())
    return KeyRecord(row.key_id, row.name, scopes, row.created_ms, row.revoked_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
