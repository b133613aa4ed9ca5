"""API keys: who may use the service, and for what. Only a hash of a key is kept."""

import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from dragoman.domain.caller import DEFAULT_TENANT, UNLIMITED, Quota
from dragoman.domain.errors import KeyUnknownError, SettingsError
from dragoman.store import tables
from dragoman.store.database import open_database
from dragoman.store.digest import digest
from dragoman.store.outages import reading, writing
from dragoman.store.postgres import Password
from dragoman.store.scope import Scope as Scope

KEY_PREFIX: Final = "dgm_"
"""What every key begins with, so that scanners of secrets know one."""

_FORM: Final = re.compile(KEY_PREFIX + r"([0-9a-f]{8})_[A-Za-z0-9_-]{43}")

_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_KEYS = tables.api_keys.c


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a key; times are Unix time. One that has expired is as useless as one that was revoked."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    created_ms: int
    revoked_ms: int | None = None
    tenant: str = DEFAULT_TENANT
    expires_ms: int | None = None
    quota: Quota = UNLIMITED


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. ``key`` is to be shown once: it cannot be had again."""

    key: str = field(repr=False)
    record: KeyRecord


class KeyStore:
    """The API keys in a database. Every call waits for it, and raises ``StoreFailedError`` if it does not work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str, password: Password | None = None) -> Self:
        """Open the database at a SQLAlchemy URL; see ``open_database``."""
        return cls(open_database(url, password))

    def close(self) -> None:
        """Let go of the database: SQLite empties its log when nobody has it open any more."""
        self._engine.dispose()

    def create(
        self,
        name: str,
        scopes: Iterable[Scope],
        tenant: str = DEFAULT_TENANT,
        quota: Quota = UNLIMITED,
        expires_ms: int | None = None,
    ) -> NewKey:
        """Make a key; it holds 256 random bits.

        Raises:
            SettingsError: if the tenant's name is none.
        """
        if not _TENANT.fullmatch(tenant):
            raise SettingsError(f"'{tenant}' is no name of a tenant: letters, digits, '.', '_' and '-', 64 at most.")
        return writing(self._engine, lambda connection, _: _made(connection, name, scopes, tenant, quota, expires_ms))

    def rotate(self, key_id: str, overlap_s: float) -> NewKey:
        """Make a key that takes the place of another, which ends ``overlap_s`` seconds from now; both or neither.

        Raises:
            KeyUnknownError: if there is no such key, or it is revoked or has expired.
        """

        def work(connection: Connection, _: bool) -> NewKey:
            query = select(tables.api_keys).where(_KEYS.key_id == key_id).with_for_update()
            row = connection.execute(query).one_or_none()
            if row is None or not _is_good(old := _record(row)):
                raise KeyUnknownError(f"There is no key with the id {key_id} that could be rotated.")
            new = _made(connection, old.name, old.scopes, old.tenant, old.quota, old.expires_ms)
            ends_ms = _now_ms() + round(overlap_s * 1_000)
            end = {"expires_ms": min(ends_ms, old.expires_ms or ends_ms)}
            connection.execute(update(tables.api_keys).where(_KEYS.key_id == key_id).values(end))
            return new

        return writing(self._engine, work)

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

        def work(connection: Connection, _: bool) -> None:
            if connection.execute(end).rowcount == 0:
                raise KeyUnknownError(f"There is no key with the id {key_id}; `dragoman keys list` shows them.")

        writing(self._engine, work)

    def verify(self, key: str) -> KeyRecord | None:
        """Return whose key it is, or ``None`` if it is none, was revoked or has expired."""
        form = _FORM.fullmatch(key)
        if form is None:
            return None
        query = select(tables.api_keys).where(_KEYS.key_id == form[1], _KEYS.revoked_ms.is_(None))
        row = reading(self._engine, lambda connection: connection.execute(query).one_or_none())
        if row is None or not hmac.compare_digest(row.hash, digest(key)):
            return None
        record = _record(row)
        return record if _is_good(record) else None

    def get(self, key_id: str) -> KeyRecord | None:
        """Return the key of an id, if it is good."""
        query = select(tables.api_keys).where(_KEYS.key_id == key_id)
        row = reading(self._engine, lambda connection: connection.execute(query).one_or_none())
        return record if row is not None and _is_good(record := _record(row)) else None

    def any_active(self) -> bool:
        """Return whether there is a key that is not revoked; one that has expired still asks for another."""
        query = select(_KEYS.key_id).where(_KEYS.revoked_ms.is_(None)).limit(1)
        return reading(self._engine, lambda connection: connection.scalar(query)) is not None

    def list(self) -> tuple[KeyRecord, ...]:
        """Return all keys, revoked ones too, oldest first."""
        query = select(tables.api_keys).order_by(_KEYS.created_ms, _KEYS.key_id)
        return reading(self._engine, lambda connection: tuple(map(_record, connection.execute(query))))


def _made(
    connection: Connection, name: str, scopes: Iterable[Scope], tenant: str, quota: Quota, expires_ms: int | None
) -> NewKey:
    """Enter a new key. One that was entered before the connection broke is never shown, and so opens nothing."""
    key_id = secrets.token_hex(4)
    key = f"{KEY_PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    record = KeyRecord(key_id, name, frozenset(scopes), _now_ms(), None, tenant, expires_ms, quota)
    connection.execute(insert(tables.api_keys), _row(record, digest(key)))
    return NewKey(key, record)


def _record(row: Row[tuple[object, ...]]) -> KeyRecord:
    scopes = frozenset(Scope(scope) for scope in row.scopes.split())
    quota = Quota(row.streams, row.minutes_per_day, row.bytes_per_day)
    return KeyRecord(row.key_id, row.name, scopes, row.created_ms, row.revoked_ms, row.tenant, row.expires_ms, quota)


def _row(record: KeyRecord, hashed: str) -> dict[str, str | int | float | None]:
    return {
        "key_id": record.key_id,
        "name": record.name,
        "hash": hashed,
        "scopes": " ".join(sorted(record.scopes)),
        "created_ms": record.created_ms,
        "tenant": record.tenant,
        "expires_ms": record.expires_ms,
        "streams": record.quota.streams,
        "minutes_per_day": record.quota.minutes_per_day,
        "bytes_per_day": record.quota.bytes_per_day,
    }


def _is_good(record: KeyRecord) -> bool:
    return record.revoked_ms is None and (record.expires_ms is None or record.expires_ms > _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
