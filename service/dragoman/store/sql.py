"""Sessions and their events in a SQL database: SQLite without any setup, or PostgreSQL."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine, Row, case, delete, func, insert, not_, select, update

from dragoman.domain.audio import SAMPLE_WIDTH_BYTES
from dragoman.domain.caller import DEFAULT_TENANT
from dragoman.domain.errors import SessionElsewhereError, StoreConflictError, StoreFailedError
from dragoman.domain.events import (
    DurableEvent,
    SessionEnded,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
    from_json,
    to_json,
)
from dragoman.store import safety, tables
from dragoman.store.audit import AuditTrail
from dragoman.store.database import open_database, translated
from dragoman.store.leases import Holder, SqlLeases
from dragoman.store.outages import persisting
from dragoman.store.ports import Books, SessionRecord, Used
from dragoman.store.postgres import Password
from dragoman.store.reserve import Reserve
from dragoman.store.subjects import note_subjects
from dragoman.store.writer import Writer

T = TypeVar("T")

_SESSIONS = tables.sessions.c
_EVENTS = tables.events.c


class SqlStore:
    """The ``SessionStore`` of a database. Event loops and threads may share one; close it."""

    def __init__(self, engine: Engine, holder: Holder | None = None) -> None:
        self.engine = engine
        """The database, for others who keep something in it."""
        self._reserve = None
        if engine.dialect.name == "sqlite":
            self._reserve = Reserve(Path(f"{engine.url.database}.reserve"))
            self._reserve.hold()
        self._writer = Writer(engine, self._reserve)
        self._audit = AuditTrail(engine)
        self.leases = SqlLeases(engine, self._writer, holder) if holder else None
        """Which sessions are this server's, if there may be several."""
        self._closed = False

    @classmethod
    def open(cls, url: str, password: Password | None = None, holder: Holder | None = None) -> Self:
        """Open the database at a SQLAlchemy URL, as one of several servers if it is a holder; see ``open_database``."""
        return cls(open_database(url, password), holder)

    @property
    def has_room(self) -> bool:
        """Whether new sessions may be opened: ``False`` from when the disk was full until there is room again."""
        return self._reserve is None or self._reserve.hold()

    def close(self) -> None:
        """Finish what is under way and let go of the database. Idempotent; waits for the disk."""
        self._closed = True
        self._writer.close()
        self.engine.dispose()

    async def create(self, record: SessionRecord) -> None:
        """Enter a new session; see ``SessionStore``."""
        row = {
            "session_id": record.session_id,
            "created_ms": record.created_ms,
            "spec_json": record.spec_json,
            "tenant": record.tenant,
            "owner": record.owner,
            "uploaded_bytes": record.uploaded_bytes,
            "token_hash": record.token_hash,
            "last_seq": record.last_seq,
            "is_open": record.is_open,
            **_columns(record.books),
        }

        def work(connection: Connection) -> None:
            held = self.leases.columns if self.leases else {}
            connection.execute(insert(tables.sessions).values({**row, **held}))
            note_subjects(connection, record.session_id, record.subjects)

        query = select(tables.sessions).where(_SESSIONS.session_id == record.session_id)

        def is_there(connection: Connection) -> bool:
            found = connection.execute(query).one_or_none()
            return found is not None and _record(found) == record

        await self._writer.carry_out(work, is_there)

    async def commit(self, session_id: str, events: Sequence[DurableEvent], books: Books) -> None:
        """Append events and enter the books; see ``SessionStore``. The audit trail gets what a step decided."""
        # Where the session must stand for this to go on from there; only one process can be the first to say so.
        here = [_SESSIONS.session_id == session_id, _SESSIONS.is_open, _SESSIONS.settled <= books.settled]
        change: dict[str, int | bool] = _columns(books)
        rows = [_row(event) for event in events]
        judged = [told for event in events if (told := safety.decided(event)) is not None]
        if events:
            first = events[0].seq
            if any(event.session_id != session_id or event.seq != seq for seq, event in enumerate(events, start=first)):
                raise StoreConflictError(f"These are not events of session {session_id} that follow each other.")
            here.append(_SESSIONS.last_seq == first - 1)
            change["last_seq"] = events[-1].seq
            change["is_open"] = not any(isinstance(event, SessionEnded) for event in events)
        if self.leases:
            here.append(self.leases.is_mine)
        advance = update(tables.sessions).where(*here).values(change)

        def work(connection: Connection) -> None:
            if connection.execute(advance).rowcount != 1:
                if self.leases and connection.scalar(select(not_(self.leases.is_mine)).where(here[0])):
                    raise SessionElsewhereError("Another server has gone on with the session; resume it.")
                raise StoreConflictError(
                    f"Session {session_id} does not stand where this would go on: it is unknown, it has ended, or "
                    "another process has gone on with it. Read it again."
                )
            if rows:
                connection.execute(insert(tables.events), rows)
            for told in judged:
                tenant = connection.scalar(select(_SESSIONS.tenant).where(_SESSIONS.session_id == session_id))
                self._audit.add_within(connection, tenant or DEFAULT_TENANT, None, safety.ACTION, session_id, told)

        await self._writer.carry_out(work, partial(_are_there, rows) if rows else None)

    async def session(self, session_id: str) -> SessionRecord | None:
        """Return a session; see ``SessionStore``."""
        query = select(tables.sessions).where(_SESSIONS.session_id == session_id)
        row = await self._read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _record(row)

    async def open_sessions(self) -> list[SessionRecord]:
        """Return the sessions that have not ended; see ``SessionStore``."""
        query = select(tables.sessions).where(_SESSIONS.is_open).order_by(_SESSIONS.created_ms, _SESSIONS.session_id)
        return [_record(row) for row in await self._read(lambda connection: connection.execute(query).all())]

    async def events(self, session_id: str, after_seq: int = 0, limit: int = 1000) -> list[DurableEvent]:
        """Return events of a session; see ``SessionStore``."""
        query = (
            select(_EVENTS.body)
            .where(_EVENTS.session_id == session_id, _EVENTS.seq > after_seq)
            .order_by(_EVENTS.seq)
            .limit(limit)
        )
        return await self._read(lambda connection: [_event(body) for body in connection.scalars(query)])

    async def used(self, owner: str, since_ms: int) -> Used:
        """Return what an owner has used; see ``SessionStore``."""
        streamed = case((_SESSIONS.uploaded_bytes == 0, _SESSIONS.settled * SAMPLE_WIDTH_BYTES), else_=0)
        query = select(
            func.coalesce(func.sum(_SESSIONS.settled), 0).label("samples"),
            func.coalesce(func.sum(_SESSIONS.uploaded_bytes + streamed), 0).label("bytes"),
        ).where(_SESSIONS.owner == owner, _SESSIONS.created_ms >= since_ms)
        row = await self._read(lambda connection: connection.execute(query).one())
        return Used(int(row.samples), int(row.bytes))

    async def delete(self, session_id: str) -> None:
        """Delete a session and its events; see ``SessionStore``."""

        def work(connection: Connection) -> None:
            connection.execute(delete(tables.feedback).where(tables.feedback.c.session_id == session_id))
            connection.execute(delete(tables.events).where(_EVENTS.session_id == session_id))
            connection.execute(delete(tables.subjects).where(tables.subjects.c.resource_id == session_id))
            connection.execute(delete(tables.sessions).where(_SESSIONS.session_id == session_id))

        await self._writer.carry_out(work)

    async def _read(self, query: Callable[[Connection], T]) -> T:
        if self._closed:
            raise StoreFailedError("The store is shut down; open it again.")

        def run(_: bool) -> T:
            with self.engine.connect() as connection:
                return query(connection)

        with translated():
            return await asyncio.to_thread(persisting, run)


def _columns(books: Books) -> dict[str, int | bool]:
    return {"settled": books.settled, "text": books.text, "lost": books.lost, "discarded": books.discarded}


def _row(event: DurableEvent) -> dict[str, str | int | None]:
    return {
        "session_id": event.session_id,
        "seq": event.seq,
        "type": event.type,
        "key": _key(event),
        "body": to_json(event),
    }


def _are_there(rows: Sequence[dict[str, str | int | None]], connection: Connection) -> bool:
    """Return whether exactly these events of a session are stored."""
    first = rows[0]
    query = (
        select(_EVENTS.body)
        .where(_EVENTS.session_id == first["session_id"], _EVENTS.seq >= first["seq"])
        .order_by(_EVENTS.seq)
        .limit(len(rows))
    )
    return connection.scalars(query).all() == [row["body"] for row in rows]


def _key(event: DurableEvent) -> str | None:
    """Return what may be said only once in a session."""
    match event:
        case TranscriptFinal():
            return event.utterance_id
        case TranslationFinal() | TranslationFailed():
            return f"{event.utterance_id}/{event.target}"
        case _:
            return None


def _event(body: str) -> DurableEvent:
    event = from_json(body)
    assert isinstance(event, DurableEvent)
    return event


def _record(row: Row[tuple[object, ...]]) -> SessionRecord:
    return SessionRecord(
        session_id=row.session_id,
        created_ms=row.created_ms,
        spec_json=row.spec_json,
        tenant=row.tenant,
        owner=row.owner,
        uploaded_bytes=row.uploaded_bytes,
        token_hash=row.token_hash,
        last_seq=row.last_seq,
        is_open=row.is_open,
        books=Books(row.settled, row.text, row.lost, row.discarded),
    )
