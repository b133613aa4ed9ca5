import asyncio
import io
import subprocess
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dragoman
from bench.scoring import word_error_rate
from dragoman.domain.errors import LanguageLimitError, LocaleError, ModelMissingError, SettingsError
from dragoman.domain.events import (
    DurableEvent,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranslationFinal,
    WarningEvent,
)
from tests.calls import call
from tests.stream import checked

pytestmark = pytest.mark.slow


def texts(events: list[DurableEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, TranscriptFinal)]


@pytest.mark.parametrize("name", ["en", "es", "de", "fr"])
def test_a_call_is_identified_transcribed_and_translated(name: str) -> None:
    events = checked(dragoman.transcribe(call(name).path, translate=["en"]))
    finals = [event for event in events if isinstance(event, TranscriptFinal)]
    truth = call(name).sentences
    assert {final.locale for final in finals} == set(call(name).locales)
    # The micro model has never heard these sentences: a word may be wrong, no sentence may be missing.
    assert len(truth) <= len(finals) <= len(truth) + 1
    assert word_error_rate([(" ".join(each.text for each in truth), " ".join(final.text for final in finals))]) < 0.04
    english = {event.text for event in events if isinstance(event, TranslationFinal)}
    assert (len(english & {sentence.english for sentence in truth}) >= 12) == (name != "en")
    ended = events[-1]
    assert isinstance(ended, SessionEnded)
    assert ended.ledger.accepted_samples == len(call(name).pcm()) // 2 == ended.ledger.final_samples


def test_the_async_door_gives_the_same_finals() -> None:
    async def collect() -> list[DurableEvent]:
        return [event async for event in dragoman.transcribe_async(call("fr").path)]

    assert texts(checked(asyncio.run(collect()))) == texts(checked(dragoman.transcribe(call("fr").path)))


def test_paths_bytes_and_files_are_one_to_the_reader() -> None:
    path = call("mixed").path
    from_path = texts(checked(dragoman.transcribe(str(path))))
    assert texts(checked(dragoman.transcribe(path.read_bytes()))) == from_path
    with path.open("rb") as file:
        assert texts(checked(dragoman.transcribe(file))) == from_path


def test_a_list_of_one_may_be_written_as_text() -> None:
    events = checked(dragoman.transcribe(call("mixed").path, languages="en-US, es-ES", translate="en"))
    started = events[0]
    assert isinstance(started, SessionStarted)
    assert (started.candidates, started.targets) == (("en-US", "es-ES"), ("en",))


def test_one_runtime_serves_several_threads() -> None:
    with dragoman.Runtime() as runtime, ThreadPoolExecutor(4) as threads:
        infos = list(threads.map(lambda _: asyncio.run(runtime.ready()), range(4)))
    assert len(set(infos)) == 1


def test_one_runtime_serves_many_recordings_at_once() -> None:
    from dragoman.runtime import Recording, Wishes

    async def collect(runtime: dragoman.Runtime, name: str) -> list[DurableEvent]:
        return [event async for event in runtime.transcribe(Recording(call(name).path), Wishes())]

    async def together() -> list[list[DurableEvent]]:
        with dragoman.Runtime() as runtime:
            return await asyncio.gather(*(collect(runtime, name) for name in ("en", "es", "de", "fr", "mixed")))

    for events, name in zip(asyncio.run(together()), ("en", "es", "de", "fr", "mixed"), strict=True):
        assert texts(checked(events)) == texts(checked(dragoman.transcribe(call(name).path)))


def test_leaving_the_loop_early_is_fine() -> None:
    events = dragoman.transcribe(call("en").path)
    for event in events:
        if isinstance(event, TranscriptFinal):
            break
    events.close()


def test_one_channel_of_a_stereo_recording_is_heard_alone() -> None:
    stereo = io.BytesIO()
    left, right = call("en").pcm(), call("de").pcm()
    samples = min(len(left), len(right)) // 2
    with wave.open(stereo, "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes(b"".join(left[2 * i : 2 * i + 2] + right[2 * i : 2 * i + 2] for i in range(samples)))
    for channel, locale in ((0, "en-US"), (1, "de-DE")):
        events = checked(dragoman.transcribe(stereo.getvalue(), channel=channel))
        finals = [event for event in events if isinstance(event, TranscriptFinal)]
        assert {(final.locale, final.channel) for final in finals} == {(locale, channel)}


def test_the_micro_model_says_what_it_is_not_for() -> None:
    events = checked(dragoman.transcribe(call("en").path.read_bytes()))
    assert "demo_model" in [event.code for event in events if isinstance(event, WarningEvent)]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"languages": ["en"]}, LocaleError),
        ({"languages": ["en-US", "en-GB"]}, LanguageLimitError),
        ({"translate": ["klingonese"]}, LocaleError),
        ({"lid": "sometimes"}, SettingsError),
        ({"model": "./nowhere"}, ModelMissingError),
    ],
)
def test_wishes_that_cannot_be_met_are_errors_at_once(
    arguments: dict[str, str | list[str]], error: type[Exception]
) -> None:
    with pytest.raises(error):
        next(dragoman.transcribe(call("en").path, **arguments))  # type: ignore[arg-type]  # a table of keywords


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import dragoman, sys; print([m for m in ('numpy', 'pydantic', 'av', 'ctranslate2') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_script_without_a_main_guard_works(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"import dragoman\nprint(sum(1 for _ in dragoman.transcribe({str(call('en').path)!r})))\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 30
    assert done.stderr == ""
