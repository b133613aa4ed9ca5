"""Who watches live sessions: figures, traces and logs."""

from typing import Protocol

from dragoman.domain.events import DurableEvent, TranscriptPartial


class Observer(Protocol):
    """Watches live sessions, for metrics, traces and logs; it must not raise and not take long."""

    def opened(self, session_id: str, *, recovered: bool, tenant: str) -> None:
        """Note a session."""
        ...

    def shown(
        self, session_id: str, partial: TranscriptPartial, since_start_ms: int | None, since_end_ms: int | None
    ) -> None:
        """Note a partial that every follower gets, and how long ago the first and the last audio in it came."""
        ...

    def committed(self, session_id: str, event: DurableEvent) -> None:
        """Note an event that every follower will get."""
        ...

    def closed(self, session_id: str, *, ended: bool) -> None:
        """Note that this process is done with a session; one that has not ended goes on elsewhere."""
        ...


class Observers:
    """Several observers as one."""

    def __init__(self, *observers: Observer | None) -> None:
        self._observers = [observer for observer in observers if observer is not None]

    def opened(self, session_id: str, *, recovered: bool, tenant: str) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.opened(session_id, recovered=recovered, tenant=tenant)

    def shown(
        self, session_id: str, partial: TranscriptPartial, since_start_ms: int | None, since_end_ms: int | None
    ) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.shown(session_id, partial, since_start_ms, since_end_ms)

    def committed(self, session_id: str, event: DurableEvent) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.committed(session_id, event)

    def closed(self, session_id: str, *, ended: bool) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.closed(session_id, ended=ended)
