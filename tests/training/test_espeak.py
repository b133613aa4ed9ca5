"""Speech with the times of its words."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from training.speech.espeak import SAMPLE_RATE_HZ, Espeak, Spoken, Style, espeak
from training.speech.made_up import mirror
from training.speech.mel import log_power, whisper_input
from training.speech.voices import HELD_OUT_EXOTIC, HELD_OUT_ORDINARY, ORDINARY, Voice, training_variants
from training.text.sentences import Word

pytestmark = pytest.mark.slow


def _speak(text: str, language: str = "en", accent: str = "en-us") -> Spoken:
    return espeak().speak([Word(word, word) for word in text.split()], Voice(language, accent, "m3"))


def test_every_word_has_its_time_also_where_two_are_spoken_as_one() -> None:
    spoken = _speak("We read it out of the book in the morning.")
    assert len(spoken.word_starts_s) == 10
    assert list(spoken.word_starts_s) == sorted(spoken.word_starts_s)
    assert spoken.word_starts_s[-1] < len(spoken.samples) / SAMPLE_RATE_HZ


def test_times_are_where_the_sound_is() -> None:
    spoken = _speak("Bank, bank.")
    silent = np.abs(spoken.samples) < 0.005
    pause = round(spoken.word_starts_s[1] * SAMPLE_RATE_HZ)
    assert silent[pause - 800 : pause].mean() > 0.8
    assert silent[pause : pause + 1600].mean() < 0.8


def test_one_written_word_may_be_several_spoken_ones() -> None:
    words = (Word("Code", "Code"), Word("4572", "4 5 7 2"), Word("please.", "please."))
    digits, number = espeak().speak(words, Voice("en", "en-us", "m3")), _speak("Code 4572 please.")
    assert len(digits.word_starts_s) == 3
    assert len(digits.samples) < len(number.samples)  # "four five seven two", not "four thousand ..."


def test_a_new_process_speaks_as_every_new_process_does() -> None:
    """espeak-ng goes on where its last sentence left its oscillators, so only a fresh process starts alike."""
    with ProcessPoolExecutor(1, get_context("spawn")) as one, ProcessPoolExecutor(1, get_context("spawn")) as other:
        first, second = one.submit(_speak, "Guten Tag.").result(), other.submit(_speak, "Guten Tag.").result()
    assert np.array_equal(first.samples, second.samples)


def _speak_made_up(folder: Path, count: int) -> list[Spoken]:
    names = mirror(folder, count, np.random.default_rng(7))
    synthesiser = Espeak(folder)
    return [synthesiser.speak([Word("Hello.", "Hello.")], Voice("en", "en-us", name)) for name in names]


def test_voices_made_up_speak_and_differ(tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as one:
        spoken = one.submit(_speak_made_up, tmp_path, 4).result()
    assert len({each.samples.tobytes() for each in spoken}) == 4
    assert all(np.abs(each.samples).max() > 0.05 for each in spoken)


def test_rate_changes_the_length() -> None:
    voice = Voice("en", "en-us", "m3")
    slow, fast = (espeak().speak([Word("Hello.", "Hello.")], voice, Style(rate=rate)) for rate in (110, 220))
    assert len(slow.samples) > 1.3 * len(fast.samples)


def test_an_unknown_accent_is_an_error() -> None:
    with pytest.raises(ValueError, match="no voice 'xx"):
        espeak().speak([Word("a", "a")], Voice("en", "xx", "m3"))


def test_training_never_hears_the_voices_it_is_tested_with() -> None:
    heard = set(training_variants())
    assert not heard & {*HELD_OUT_ORDINARY, *HELD_OUT_EXOTIC}
    assert set(ORDINARY) <= heard  # espeak-ng takes an unknown variant without a word


def test_mels_are_those_that_faster_whisper_computes() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    samples = _speak("How can I help you today?").samples
    ours = whisper_input(log_power(samples).astype(np.float32))
    theirs = FeatureExtractor()(samples).T[: len(ours)]
    assert np.abs(ours - theirs)[2:-2].max() < 0.01  # the edges differ: they mirror the sound, we end it
