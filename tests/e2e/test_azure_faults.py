"""Sessions on Azure, through the emulator, while it fails in every way we know: nothing accepted is lost or doubled."""

import asyncio
import base64
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from bench.scoring import word_error_rate
from dragoman import Runtime, Settings, Wishes
from dragoman.domain.audio import AudioFrame, to_samples
from dragoman.domain.events import (
    EngineChanged,
    Event,
    SessionEnded,
    TranscriptFinal,
    TranscriptPartial,
    TranslationFinal,
)
from dragoman.emulator.admission import KEY
from dragoman.emulator.faults import Fault
from tests.calls import call
from tests.emulated import Emulator, emulating

pytestmark = pytest.mark.slow

T = TypeVar("T")

DOWN = "http://127.0.0.1:9"
SENTENCES = 4
PACE = 0.25
"""Of the time that the audio takes."""


@dataclass
class Seen:
    """What a session said, and when."""

    events: list[tuple[float, Event]]

    def all(self, kind: type[T]) -> list[T]:
        return [event for _, event in self.events if isinstance(event, kind)]


def settings(*endpoints: str) -> Settings:
    return Settings.model_validate({"azure_endpoints": ",".join(endpoints), "azure_key": KEY, "threads": 1})


async def session(runtime: Runtime, name: str, translate: Sequence[str] = ()) -> Seen:
    """Stream the first sentences of a call."""
    spec = await runtime.plan(Wishes(languages=[call(name).sentences[0].locale], translate=translate))
    running = await runtime.session(replace(spec, live=True, partials=True))
    end_ms = call(name).sentences[SENTENCES - 1].end_ms + 500

    async def audio() -> AsyncIterator[AudioFrame]:
        began_s = time.monotonic()
        for frame in call(name).frames(end_ms):
            await asyncio.sleep(began_s + PACE * frame.end / to_samples(1_000) - time.monotonic())
            yield frame

    events: list[tuple[float, Event]] = []
    async with aclosing(running.run(audio())) as told:
        async for event in told:
            events.append((time.monotonic(), event))  # noqa: PERF401 - the time is that of the event
    return Seen(events)


def sessions(runtime: Runtime, *names: str) -> list[Seen]:
    async def together() -> list[Seen]:
        return await asyncio.gather(*(session(runtime, name) for name in names))

    return asyncio.run(together())


def assert_whole(seen: Seen, name: str) -> None:
    """All was said, once, and the books balance."""
    (ended,) = seen.all(SessionEnded)
    assert ended.reason == "completed"
    assert ended.ledger.lost_samples == 0
    assert ended.ledger.accepted_samples == ended.ledger.final_samples
    finals = seen.all(TranscriptFinal)
    truth = " ".join(sentence.text for sentence in call(name).sentences[:SENTENCES])
    assert word_error_rate([(truth, " ".join(final.text for final in finals))]) < 0.15
    assert all(one.end_ms <= other.start_ms for one, other in itertools.pairwise(finals))


def test_the_cloud_does_the_work(emulator: Emulator) -> None:
    with Runtime(settings(emulator.url)) as runtime:
        seen = asyncio.run(session(runtime, "es", ["en"]))
    assert_whole(seen, "es")
    assert {final.engine for final in seen.all(TranscriptFinal)} == {"azure"}
    assert {made.engine for made in seen.all(TranslationFinal)} == {"azure-translator"}
    assert len(seen.all(TranslationFinal)) == SENTENCES
    assert seen.all(TranscriptPartial)
    assert not seen.all(EngineChanged)


@pytest.mark.parametrize("seed", range(4))
def test_a_cloud_that_drops_costs_nothing(emulator: Emulator, seed: int) -> None:
    moment = random.Random(seed).randrange(300, 9_000)
    emulator.faults.add(Fault(door="speech", drop=True, after_ms=moment))
    with Runtime(settings(emulator.url)) as runtime:
        seen = asyncio.run(session(runtime, "de"))
    assert_whole(seen, "de")
    assert emulator.faults.knocks["speech"] <= 2


def test_a_cloud_that_falls_silent_is_left(emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="speech", silent=True, after_ms=4_000, times=0))
    with Runtime(settings(emulator.url)) as runtime:
        seen = asyncio.run(session(runtime, "en"))
    assert_whole(seen, "en")
    (change,) = seen.all(EngineChanged)
    assert (change.engine, change.changed_from) == ("whisper", "azure")
    changed_s = next(at_s for at_s, event in seen.events if event is change)
    texts_s = (at_s for at_s, event in seen.events if isinstance(event, TranscriptPartial | TranscriptFinal))
    shown_s = min(at_s for at_s in texts_s if at_s > changed_s)
    assert shown_s - changed_s < 2.5
    assert emulator.faults.knocks["speech"] == 1


def test_a_storm_of_refusals_is_not_answered_by_another(emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="speech", status=429, retry_after_s=1, times=0))
    names = ["en", "es", "de", "fr", "en", "es", "de", "fr"]
    with Runtime(settings(emulator.url)) as runtime:
        assert_whole(sessions(runtime, "en")[0], "en")
        for name, seen in zip(names, sessions(runtime, *names), strict=True):
            assert_whole(seen, name)
    assert emulator.faults.knocks["speech"] <= 1.1 * (len(names) + 1)


@pytest.mark.parametrize("endpoint", [DOWN, "http://no-such-host.invalid"])
def test_a_region_that_is_down_is_passed_over(emulator: Emulator, endpoint: str) -> None:
    with Runtime(settings(endpoint, emulator.url)) as runtime:
        first, second = sessions(runtime, "fr")[0], sessions(runtime, "es")[0]
    assert_whole(first, "fr")
    assert_whole(second, "es")
    assert len(first.all(EngineChanged)) == 1
    assert not second.all(EngineChanged)  # by then it is known


def test_a_region_that_goes_down_in_the_middle_is_left_for_the_next(emulator: Emulator) -> None:
    down = [Fault(door="speech", drop=True, after_ms=4_000), Fault(door="speech", status=503, times=0)]
    emulator.faults.add(*down)
    with emulating() as other, Runtime(settings(emulator.url, other.url)) as runtime:
        seen = asyncio.run(session(runtime, "de"))
        assert emulator.faults.knocks["speech"] == 2  # what broke in the middle is tried once more
        assert other.faults.knocks["speech"] == 1
    assert_whole(seen, "de")
    assert len(seen.all(EngineChanged)) == 1
    assert {final.engine for final in seen.all(TranscriptFinal)} == {"azure"}


def test_without_any_cloud_the_local_engine_works() -> None:
    with Runtime(settings(DOWN)) as runtime:
        seen = asyncio.run(session(runtime, "es", ["en"]))
    assert_whole(seen, "es")
    assert {final.engine for final in seen.all(TranscriptFinal)} == {"whisper"}
    assert {made.engine for made in seen.all(TranslationFinal)} == {"ctranslate2"}
    assert len(seen.all(TranslationFinal)) == SENTENCES


class Tokens:
    """A credential whose tokens live as long as they are told to."""

    def __init__(self, *lifetimes_s: float) -> None:
        self.lifetimes_s = list(lifetimes_s)
        self.asked = 0

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.asked += 1
        lifetime_s = self.lifetimes_s.pop(0) if len(self.lifetimes_s) > 1 else self.lifetimes_s[0]
        expires = time.time() + lifetime_s
        claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
        return AccessToken(f"e30.{claims}.x", int(expires))


class Case(NamedTuple):
    """Tokens, one after the other, and which engine has the last word in a session whose connection breaks."""

    lifetimes_s: tuple[float, ...]
    engine: str
    asked: int


class Nobody(Tokens):
    """A credential that gives no token."""

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.asked += 1
        raise ClientAuthenticationError("nobody is signed in")


def test_without_a_token_the_local_engine_works(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = Nobody(0.0)
    monkeypatch.setattr("dragoman.engines.azure.recognition.credential_of", lambda access: nobody)
    monkeypatch.setattr("dragoman.engines.azure.files.credential_of", lambda access: nobody)
    monkeypatch.setattr("dragoman.engines.azure.translator.credential_of", lambda access: nobody)
    chosen = Settings.model_validate({"azure_endpoints": emulator.url, "threads": 1})
    with Runtime(chosen) as runtime:
        seen = asyncio.run(session(runtime, "es", ["en"]))
    assert_whole(seen, "es")
    assert {final.engine for final in seen.all(TranscriptFinal)} == {"whisper"}
    assert len(seen.all(TranslationFinal)) == SENTENCES
    assert nobody.asked >= 1


@pytest.mark.parametrize(
    "case",
    [
        Case((3600.0,), "azure", 2),
        Case((1.0, 3600.0), "azure", 2),
        Case((1.0, -60.0), "whisper", 2),
        Case((-60.0,), "whisper", 1),
    ],
    ids=["lasting", "renewed", "expired in the middle", "expired"],
)
def test_tokens_open_the_door_while_they_last(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    tokens = Tokens(*case.lifetimes_s)
    monkeypatch.setattr("dragoman.engines.azure.recognition.credential_of", lambda access: tokens)
    monkeypatch.setattr("dragoman.engines.azure.files.credential_of", lambda access: tokens)
    monkeypatch.setattr("dragoman.engines.azure.translator.credential_of", lambda access: tokens)
    chosen = Settings.model_validate({"azure_endpoints": emulator.url, "threads": 1})
    emulator.faults.add(Fault(door="speech", drop=True, after_ms=6_000))  # more than a second later, as we pace it
    with Runtime(chosen) as runtime:
        seen = asyncio.run(session(runtime, "en"))
    assert_whole(seen, "en")
    assert seen.all(TranscriptFinal)[-1].engine == case.engine
    assert bool(seen.all(EngineChanged)) == (case.engine == "whisper")
    assert tokens.asked == case.asked
