"""A session as intervals without a gap."""

from hypothesis import given
from hypothesis import strategies as st

from dragoman.domain.events import AudioLost, DurableEvent
from dragoman.operations.timeline import Interval, Mark, timeline
from dragoman.store.ports import Books
from tests.operations.scripted import BOOKS, scripted


def test_every_stretch_says_where_it_went() -> None:
    found = timeline(scripted(), BOOKS)
    assert found.end_ms == 10_000
    assert found.intervals == (
        Interval("no speech", 0, 500),
        Interval("speech", 500, 2_500, "u_1", "de-DE", "azure", None, 300),
        Interval("no speech", 2_500, 3_000),
        Interval("speech", 3_000, 6_000, "u_2", "es-ES", "whisper", None, 900),
        Interval("lost", 6_000, 8_000, reason="engine_failed"),
        Interval("no speech", 8_000, 9_000),
        Interval("discarded", 9_000, 10_000),
    )


def test_what_happened_is_marked_at_its_place() -> None:
    assert timeline(scripted(), BOOKS).marks == (
        Mark("engine", 0, "azure"),
        Mark("language", 900, "de-DE"),
        Mark("engine", 2_600, "azure → whisper"),
        Mark("language", 3_000, "es-ES"),
        Mark("error", 6_000, "translation_failed"),
        Mark("warning", 8_000, "lagging"),
    )


def test_of_nothing_there_is_nothing() -> None:
    assert timeline([], Books()).intervals == ()


@given(st.lists(st.tuples(st.integers(0, 50_000), st.integers(1, 5_000)), max_size=20), st.integers(0, 60_000))
def test_no_stretch_is_missing(spans: list[tuple[int, int]], settled_ms: int) -> None:
    events: list[DurableEvent] = [
        AudioLost(session_id="s", seq=at, start_ms=start, end_ms=start + length, samples=1, reason="r")
        for at, (start, length) in enumerate(spans, start=1)
    ]
    found = timeline(events, Books(settled=16 * settled_ms))
    reached_ms = 0
    for each in found.intervals:
        assert each.start_ms <= reached_ms
        reached_ms = max(reached_ms, each.end_ms)
    assert reached_ms == found.end_ms
    assert sum(each.kind == "lost" for each in found.intervals) == len(spans)
