"""The smoke test itself: it passes on a server that works, and names what is wrong with one that does not."""

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dragoman.client import stream_blocking
from dragoman.domain.events import Event
from dragoman.domain.messages import SessionWishes
from dragoman.settings import read_settings
from dragoman.store.keys import KeyStore, Scope
from smoke import CALLS, SAMPLES, hear, judge
from tests.api.server import ServerProcess

pytestmark = pytest.mark.slow

CALL, LOCALE = next(iter(CALLS.items()))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("smoke") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def events(server: ServerProcess) -> list[Event]:
    with wave.open(str(SAMPLES / CALL)) as recording:
        sound = recording.readframes(16_000 * 10)
    wishes = SessionWishes(languages=("en-US", "de-DE"), translate=("de",))
    return list(stream_blocking(server.url, [sound[at : at + 64_000] for at in range(0, len(sound), 64_000)], wishes))


def _whole(events: list[Event]) -> list[Event]:
    return events


def _cut(events: list[Event]) -> list[Event]:
    return events[:-1]


def _without_a_final(events: list[Event]) -> list[Event]:
    first = next(event for event in events if event.type == "transcript.final")
    return [event for event in events if event is not first]


def _untranslated(events: list[Event]) -> list[Event]:
    return [event for event in events if event.type != "translation.final"]


def _silent(events: list[Event]) -> list[Event]:
    return [event for event in events if not event.type.startswith(("transcript", "translation"))]


def test_it_passes_on_a_server_that_works(server: ServerProcess) -> None:
    said = hear(server.url, None, CALL, LOCALE)
    assert said.problems == ()
    assert said.translations == said.finals > 3


@pytest.mark.parametrize(
    ("change", "locale", "samples", "problem"),
    [
        (_cut, LOCALE, 160_000, "did not end"),
        (_without_a_final, LOCALE, 160_000, "gaps"),
        (_untranslated, LOCALE, 160_000, "translations came"),
        (_silent, LOCALE, 160_000, "nothing was heard"),
        (_whole, "fr-FR", 160_000, f"heard {LOCALE} instead of fr-FR"),
        (_whole, LOCALE, 160_001, "160000 of 160001 samples were accepted"),
    ],
)
def test_it_names_what_is_wrong(
    events: list[Event], change: Callable[[list[Event]], list[Event]], locale: str, samples: int, problem: str
) -> None:
    assert judge(CALL, LOCALE, 160_000, events, 1.0).problems == ()
    problems = judge(CALL, locale, samples, change(events), 1.0).problems
    assert any(problem in each for each in problems), problems


def test_it_says_when_nobody_may_come_in(tmp_path: Path) -> None:
    store = KeyStore.open(read_settings(data=tmp_path / "data").effective_database_url)
    store.create("somebody", [Scope.STREAM])
    store.close()
    with ServerProcess(tmp_path / "data") as server:
        said = hear(server.url, None, CALL, LOCALE)
    assert "key" in said.problems[0]
