"""Recordings are measured as files; the samples' own noise is known."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dragoman.datasets.dataset import read_dataset
from dragoman.datasets.measuring import Meter, measure
from dragoman.domain.errors import AudioUnreadableError
from dragoman.engines.whisper.detector import SileroDetector
from dragoman.resources import samples_folder
from tests.datasets.sounds import noise, tone, write_wav


class Loud:
    """A ``SpeechDetector`` to which everything loud is speech."""

    def probabilities(self, windows: NDArray[np.float32]) -> list[float]:
        return [float(level > 0.05) for level in np.abs(windows).mean(1)]

    def reset(self) -> None:
        """Forget nothing: there is nothing."""


@pytest.mark.parametrize("file", ["fan_en.flac", "traffic_de.flac", "babble_es.flac"])
def test_the_estimated_snr_is_near_that_of_the_mix(file: str) -> None:
    samples = read_dataset(samples_folder() / "audio")
    (item,) = [item for item in samples.recordings if item.file == file]
    assert item.noise is not None
    found = asyncio.run(measure(samples.path(item), SileroDetector))
    assert found.quality.snr_db == pytest.approx(item.noise.snr_db, abs=1.0)


@pytest.mark.parametrize(("file", "share"), [("hum.flac", 0.0), ("silence.flac", 0.0), ("en_call.wav", 0.7)])
def test_the_share_of_speech_is_near_the_manifest(file: str, share: float) -> None:
    found = asyncio.run(measure(samples_folder() / "audio" / file, SileroDetector))
    assert found.quality.speech_share == pytest.approx(share, abs=0.03)


def test_it_does_not_matter_how_samples_come() -> None:
    samples = np.concatenate([tone(3.0), np.zeros(20_000, np.float32), noise(3.0), tone(0.3)])
    at_once, by_and_by = Meter(Loud()), Meter(Loud())
    at_once.feed(samples)
    for start in range(0, samples.size, 777):
        by_and_by.feed(samples[start : start + 777])
    one, two = at_once.windows(), by_and_by.windows()
    assert np.array_equal(one.power, two.power)
    assert np.array_equal(one.speech, two.speech)
    assert (one.peak, one.clipped, one.samples) == (two.peak, two.clipped, samples.size)
    assert np.array_equal(at_once.print(), by_and_by.print())


def test_a_clipped_channel_does_not_hide_behind_a_quiet_one(tmp_path: Path) -> None:
    loud = np.clip(tone(1.0, 300.0, 2.0), -1, 1)
    stereo = asyncio.run(measure(write_wav(tmp_path / "a.wav", loud, tone(1.0, 300.0, 0.0)), Loud))
    assert stereo.quality.clipped_share == pytest.approx(2 / 3, abs=0.01)
    assert stereo.quality.peak_dbfs == pytest.approx(0.0, abs=0.1)
    assert stereo.quality.rms_dbfs == pytest.approx(-7.1, abs=0.1)


def test_a_recording_shorter_than_a_window_is_measured(tmp_path: Path) -> None:
    found = asyncio.run(measure(write_wav(tmp_path / "a.wav", tone(0.01)), Loud))
    assert (found.duration_ms, found.quality.snr_db, found.print.size) == (10, None, 0)


def test_what_is_no_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no audio")
    with pytest.raises(AudioUnreadableError):
        asyncio.run(measure(tmp_path / "a.wav", Loud))
