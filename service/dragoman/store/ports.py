"""The roles of the store: the books of sessions, and the spool of their audio."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from dragoman.domain.audio import AudioFrame
from dragoman.domain.caller import DEFAULT_TENANT
from dragoman.domain.events import DurableEvent

Durability = Literal["memory", "file", "blob"]
"""What accepted audio survives: nothing, the death of the process and of the machine, or the loss of the disk."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where a session's audio stands, in samples: everything before ``settled`` has an outcome.

    ``text`` is a part of what is final, and that is ``settled - lost - discarded``.
    """

    settled: int = 0
    text: int = 0
    lost: int = 0
    discarded: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """What somebody has used: accepted audio, and bytes that were uploaded or streamed."""

    samples: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as it was last committed.

    ``created_ms`` is Unix time. ``spec_json`` says what the session was asked to do; the store does not look inside.
    ``tenant`` is whose it is, and ``owner`` the id of the API key or identity that opened it. ``uploaded_bytes`` is how
    large the file was that it came from. ``subjects`` are digests of whose data it is; they are written, not read back.
    """

    session_id: str
    created_ms: int
    spec_json: str
    owner: str | None = None
    token_hash: str | None = None
    last_seq: int = 0
    is_open: bool = True
    books: Books = Books()
    tenant: str = DEFAULT_TENANT
    uploaded_bytes: int = 0
    subjects: tuple[str, ...] = field(default=(), compare=False)


class SessionStore(Protocol):
    """Keeps sessions and their durable events. What a call has returned from survives the machine."""

    async def create(self, record: SessionRecord) -> None:
        """Enter a new session.

        Raises:
            StoreConflictError: if there is one of this id.
            StoreFailedError: if nothing could be written; nothing was.
        """
        ...

    async def commit(self, session_id: str, events: Sequence[DurableEvent], books: Books) -> None:
        """Append events and enter the books, both or neither; a ``session.ended`` closes the session.

        The events go on from the session's ``last_seq`` without a gap; without events only the books are entered. A
        call whose task is cancelled is carried out all the same.

        Raises:
            StoreConflictError: if the session is unknown, has ended or stands elsewhere (in ``seq`` or because its
                books are further on), or if a final of this key is there already.
            StoreFailedError: if it could not be written; nothing of it was. Only a connection that breaks in the very
                moment of committing leaves that open; then ``session`` tells.
        """
        ...

    async def session(self, session_id: str) -> SessionRecord | None:
        """Return a session, or ``None`` if there is none of this id."""
        ...

    async def open_sessions(self) -> list[SessionRecord]:
        """Return the sessions without a ``session.ended``, oldest first."""
        ...

    async def events(self, session_id: str, after_seq: int = 0, limit: int = 1000) -> list[DurableEvent]:
        """Return the next ``limit`` events after ``after_seq``, in order; none if the session is unknown."""
        ...

    async def used(self, owner: str, since_ms: int) -> Used:
        """Return what the sessions of an owner have used that were opened since a Unix time."""
        ...

    async def delete(self, session_id: str) -> None:
        """Delete a session, its events and what was said of it; an unknown one is no error."""
        ...


class Leases(Protocol):
    """Which open sessions are this server's, where there are several."""

    async def take(self, session_id: str, *, by_force: bool) -> bool:
        """Hold an open session that is free, or ``by_force`` one that another server holds; return whether it is held.

        After that, nobody else commits to it. Raises as ``SessionStore``.
        """
        ...

    async def renew(self) -> set[str]:
        """Say that this server is alive; return the open sessions that it holds. Raises as ``SessionStore``."""
        ...

    async def free(self) -> list[str]:
        """Return the open sessions that this server may go on with and no other does, oldest first."""
        ...

    async def let_go(self, session_id: str) -> None:
        """Let others go on with a session. Raises as ``SessionStore``."""
        ...


class SpooledAudio(Protocol):
    """The accepted audio of one session (s16le, mono, 16 kHz), counted from its first sample."""

    @property
    def written(self) -> int:
        """Samples handed over."""
        ...

    @property
    def durable(self) -> int:
        """Samples that survive what the spool's ``durability`` promises; they are the first of those written."""
        ...

    def append(self, pcm: bytes) -> None:
        """Hand over the next samples, whole ones. Quick: the disk is not waited for.

        Raises:
            SpoolFullError: if there is no room; nothing of ``pcm`` was taken.
            SpoolFailedError: if the audio is closed or can no longer be written; nothing of ``pcm`` was taken.
        """
        ...

    async def until_durable(self, samples: int) -> int:
        """Wait until ``durable >= samples``, and return ``durable``.

        Raises:
            SpoolFullError, SpoolFailedError: if that cannot happen any more.
        """
        ...

    def read(self, start: int) -> AsyncIterator[AudioFrame]:
        """Yield what is written now from sample ``start`` on, in frames of at most one second.

        Raises:
            SpoolFailedError: if it can no longer be read.
        """
        ...

    async def close(self) -> None:
        """Make durable what was handed over, where that is possible, and release the session. Idempotent.

        Raises nothing: who needs to know waits with ``until_durable`` first.
        """
        ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """All audio of a session that has ended: how many ``samples``, and ``pcm`` (s16le), to be read once."""

    samples: int
    pcm: AsyncIterator[bytes]


class Spool(Protocol):
    """Keeps the accepted audio of sessions."""

    @property
    def durability(self) -> Durability:
        """What audio survives once it is durable."""
        ...

    async def open(self, session_id: str) -> SpooledAudio:
        """Return the audio of a session: new, or what an earlier process left, cut to whole samples.

        Raises:
            ValueError: if ``session_id`` is not of the form ``s_`` and hexadecimal digits.
            SpoolFullError: if there is no room for a new session.
            SpoolFailedError: if it cannot be opened, or is open already.
        """
        ...

    async def kept(self) -> list[str]:
        """Return the sessions of which there is audio, open or left by an earlier process. Raises as ``open``."""
        ...

    async def recorded(self, session_id: str) -> Recorded | None:
        """Return the audio of a session that has ended; ``None`` if it is not kept. Raises as ``open``."""
        ...

    async def delete(self, session_id: str) -> None:
        """Delete the audio of a session, closing it if it is open; an unknown one is no error. Raises as ``open``."""
        ...

    async def close(self) -> None:
        """Close all open audio and end the work behind it. Idempotent."""
        ...
