"""What is accepted is said once, whatever becomes of the engine that hears it."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dragoman.domain.audio import AudioFrame, Flush, Span
from dragoman.domain.errors import DragomanError, EngineFailedError
from dragoman.domain.language import LidMode, Locale, parse_candidates
from dragoman.domain.speech import (
    AudioInput,
    EngineChange,
    Heard,
    Hypothesis,
    Partial,
    Silence,
    SpeechEnded,
    SpeechStarted,
    TranscriptionRequest,
)
from dragoman.engines.breaker import Breaker
from dragoman.engines.failover import FailoverTranscriber
from dragoman.engines.watch import WatchRules
from tests.fakes import stream

FRAME = 1_600
UTTERANCE = 8_000
REQUEST = TranscriptionRequest(parse_candidates(["en-US"], LidMode.CONTINUOUS), partials=True)


class NumberingTranscriber:
    """Says, for each half second, which samples it heard; fails, or falls silent, before the sample that is named."""

    def __init__(
        self, name: str, fails_at: int | None = None, *, hangs: bool = False, error: type[Exception] = EngineFailedError
    ) -> None:
        self.name = name
        self.fails_at = fails_at
        self.error = error
        self.hangs = hangs
        self.requests: list[TranscriptionRequest] = []

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        self.requests.append(request)
        heard, at, since = b"", request.start, request.start
        async for item in audio:
            if isinstance(item, Flush):
                continue
            assert item.start == at, "a gap in the audio"
            heard, at = heard + item.pcm, item.end
            if self.fails_at is not None and at > self.fails_at:
                if self.hangs:
                    async for _ in audio:
                        pass
                    await asyncio.Event().wait()
                raise self.error(f"{self.name} broke")
            while at - since >= UTTERANCE:
                yield Partial(Span(since, since + UTTERANCE), "…", Locale("en-US"))
                yield self._final(since, since + UTTERANCE, heard)
                heard, since = heard[2 * UTTERANCE :], since + UTTERANCE
        if at > since:
            yield self._final(since, at, heard)

    def _final(self, start: int, end: int, heard: bytes) -> Hypothesis:
        numbers = np.frombuffer(heard[: 2 * (end - start)], "<i2")
        return Hypothesis(Span(start, end), Span(start, end), f"{numbers[0]}-{numbers[-1]}", Locale("en-US"))


class Everything:
    """A detector that takes all for speech."""

    def probabilities(self, windows: NDArray[np.float32]) -> list[float]:
        return [1.0] * len(windows)

    def reset(self) -> None: ...


class Clock:
    """Time that goes by when it is told to."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def frames(count: int) -> list[AudioFrame]:
    """Return frames whose samples are numbered in steps of 100."""
    numbers = (np.arange(count * FRAME) // 100).astype("<i2")
    return [AudioFrame(at * FRAME, numbers[at * FRAME : (at + 1) * FRAME].tobytes()) for at in range(count)]


def failover(
    *routes: NumberingTranscriber, clock: Callable[[], float] | None = None, silent_ms: int = 2_000
) -> FailoverTranscriber:
    rules = WatchRules(silent_ms=silent_ms, silent_at_end_s=0.2)
    return FailoverTranscriber(routes, Everything, rules, lambda: Breaker(clock=clock or Clock()))


def transcribe(engine: FailoverTranscriber, audio: Sequence[AudioInput | DragomanError]) -> list[Heard]:
    async def collect() -> list[Heard]:
        async with aclosing(engine.transcribe(stream(*audio), REQUEST)) as heard:
            return [item async for item in heard]

    return asyncio.run(asyncio.wait_for(collect(), 20))


def assert_settled(heard: list[Heard], samples: int) -> None:
    """Every sample is settled once, by a final that heard just these samples."""
    finals = [item for item in heard if isinstance(item, Hypothesis)]
    assert finals[0].covers.start == 0
    assert all(one.covers.end == other.covers.start for one, other in itertools.pairwise(finals))
    assert finals[-1].covers.end == samples
    for final in finals:
        assert final.text == f"{final.covers.start // 100}-{(final.covers.end - 1) // 100}"


@pytest.mark.slow
@settings(max_examples=30)  # a hang takes half a second
@given(at=st.integers(0, 40 * FRAME - 1), hangs=st.booleans())
def test_a_failure_at_any_moment_loses_and_doubles_nothing(at: int, hangs: bool) -> None:
    cloud, local = NumberingTranscriber("cloud", at, hangs=hangs), NumberingTranscriber("local")
    heard = transcribe(failover(cloud, local, silent_ms=100), frames(40))
    assert_settled(heard, 40 * FRAME)
    (change,) = [item for item in heard if isinstance(item, EngineChange)]
    assert change.engine == "local"
    # The other goes on from the last sample that was settled.
    assert change.at == local.requests[0].start <= at
    # An engine that had worked is tried once more, unless it hangs.
    assert len(cloud.requests) == (2 if at >= UTTERANCE and not hangs else 1)


def test_several_regions_come_before_the_local_engine() -> None:
    west, north, local = (
        NumberingTranscriber("west", 10 * FRAME),
        NumberingTranscriber("north", 20 * FRAME),
        NumberingTranscriber("local"),
    )
    heard = transcribe(failover(west, north, local), frames(40))
    assert_settled(heard, 40 * FRAME)
    assert [item.engine for item in heard if isinstance(item, EngineChange)] == ["north", "local"]


def test_a_region_that_is_down_is_not_asked_by_every_session() -> None:
    cloud, local = NumberingTranscriber("cloud", 0), NumberingTranscriber("local")
    engine = failover(cloud, local)
    assert engine.name == "cloud"
    for _ in range(10):
        assert_settled(transcribe(engine, frames(10)), 10 * FRAME)
    assert len(cloud.requests) == 1
    assert engine.name == "local"


def test_it_goes_back_between_two_utterances_when_a_minute_has_passed() -> None:
    clock = Clock()
    cloud, local = NumberingTranscriber("cloud", 12 * FRAME), NumberingTranscriber("local")

    async def audio() -> AsyncIterator[AudioInput]:
        for frame in frames(60):
            if frame.start == 30 * FRAME:
                cloud.fails_at, clock.now_s = None, 59.0
            if frame.start == 42 * FRAME:
                clock.now_s = 61.0
            yield frame
            await asyncio.sleep(0)

    async def collect() -> list[Heard]:
        async with aclosing(failover(cloud, local, clock=clock).transcribe(audio(), REQUEST)) as heard:
            return [item async for item in heard]

    heard = asyncio.run(collect())
    assert_settled(heard, 60 * FRAME)
    there, back = [item for item in heard if isinstance(item, EngineChange)]
    assert (there.engine, back.engine) == ("local", "cloud")
    assert back.at % UTTERANCE == 0
    assert back.at >= 40 * FRAME


def test_it_does_not_go_back_to_what_still_fails() -> None:
    clock = Clock()
    cloud, local = NumberingTranscriber("cloud", 0), NumberingTranscriber("local")
    engine = failover(cloud, local, clock=clock)
    transcribe(engine, frames(5))
    for at_s in (30.0, 61.0, 90.0, 150.0, 182.0):  # a minute, then two
        clock.now_s = at_s
        assert_settled(transcribe(engine, frames(10)), 10 * FRAME)
    assert len(cloud.requests) == 3


def test_a_failure_of_the_last_engine_ends_it() -> None:
    with pytest.raises(EngineFailedError, match="local broke"):
        transcribe(failover(NumberingTranscriber("cloud", 0), NumberingTranscriber("local", 4_000)), frames(10))


def test_what_nobody_expected_of_an_engine_is_a_failure_too() -> None:
    cloud = NumberingTranscriber("cloud", 0, error=ZeroDivisionError)
    heard = transcribe(failover(cloud, NumberingTranscriber("local")), frames(10))
    assert_settled(heard, 10 * FRAME)
    (change,) = (item for item in heard if isinstance(item, EngineChange))
    assert change.reason == "The engine failed unexpectedly (ZeroDivisionError)."


def test_an_error_of_the_audio_is_not_one_of_the_engine() -> None:
    cloud, local = NumberingTranscriber("cloud"), NumberingTranscriber("local")
    with pytest.raises(EngineFailedError, match="the line is cut"):
        transcribe(failover(cloud, local), [*frames(7), EngineFailedError("the line is cut")])


def test_partials_that_nobody_asked_for_are_not_told() -> None:
    engine = failover(NumberingTranscriber("cloud"), NumberingTranscriber("local"))

    async def collect() -> list[Heard]:
        request = TranscriptionRequest(REQUEST.candidates)
        async with aclosing(engine.transcribe(stream(*frames(20)), request)) as heard:
            return [item async for item in heard]

    assert not [item for item in asyncio.run(collect()) if isinstance(item, Partial)]


def test_silence_is_no_reason_to_doubt_an_engine() -> None:
    class Nothing(Everything):
        def probabilities(self, windows: NDArray[np.float32]) -> list[float]:
            return [0.0] * len(windows)

    class Quiet:
        name = "quiet"

        async def transcribe(
            self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
        ) -> AsyncGenerator[Heard, None]:
            end = 0
            async for item in audio:
                assert isinstance(item, AudioFrame)
                end = item.end
                await asyncio.sleep(0.01)
            yield Silence(Span(0, end))

    engine = FailoverTranscriber([Quiet(), NumberingTranscriber("local")], Nothing, WatchRules(silent_ms=50))
    heard = transcribe(engine, frames(20))
    assert heard == [Silence(Span(0, 20 * FRAME))]


class Flaky(NumberingTranscriber):
    """Breaks every second, and works again when it is asked anew."""

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        self.fails_at = request.start + 10 * FRAME
        async for item in super().transcribe(audio, request):
            yield item


def test_a_connection_that_breaks_is_made_again() -> None:
    cloud, local = Flaky("cloud"), NumberingTranscriber("local")
    heard = transcribe(failover(cloud, local), frames(45))
    assert_settled(heard, 45 * FRAME)
    assert not [item for item in heard if isinstance(item, EngineChange)]
    assert not local.requests


def test_speech_that_was_begun_is_ended_before_another_engine_begins_it() -> None:
    class Breaking(NumberingTranscriber):
        async def transcribe(
            self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
        ) -> AsyncGenerator[Heard, None]:
            yield SpeechStarted(400)
            raise EngineFailedError("broke")

    heard = transcribe(failover(Breaking("cloud"), NumberingTranscriber("local")), frames(10))
    assert heard[:3] == [SpeechStarted(400), SpeechEnded(400), EngineChange("local", 0, "broke")]
