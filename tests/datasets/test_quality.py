"""Figures of recordings that are made so that the figures are known."""

import numpy as np
import pytest

from dragoman.audio.pcm import from_float, to_float
from dragoman.datasets.quality import (
    WINDOW_SAMPLES,
    Quality,
    Windows,
    count_clipped,
    judge,
    snr_db,
    window_powers,
    worst,
)
from tests.datasets.sounds import Signal, noise, tone


def seen(samples: Signal, speech: list[float] | None = None) -> Windows:
    windows = samples[: samples.size - samples.size % WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    told = np.array(speech if speech is not None else [0.0] * len(windows))
    return Windows(window_powers(windows), told, float(np.abs(samples).max()), count_clipped(samples), samples.size)


@pytest.mark.parametrize(("level", "rms_dbfs"), [(1.0, -3.01), (0.1, -23.01), (0.0, -100.0)])
def test_levels_are_in_dbfs(level: float, rms_dbfs: float) -> None:
    quality = judge(seen(tone(2.0, 500.0, level)))
    assert quality.rms_dbfs == pytest.approx(rms_dbfs, abs=0.02)
    assert quality.peak_dbfs == pytest.approx(20 * np.log10(level) if level else -100.0, abs=0.02)


def test_silence_is_counted_by_windows() -> None:
    quality = judge(seen(np.concatenate([tone(1.024), np.zeros(3 * 16_384, np.float32)])))
    assert quality.silence_share == pytest.approx(0.75)


@pytest.mark.parametrize("snr", [0.0, 6.0, 12.0, 20.0, 40.0])
def test_the_snr_of_speech_in_noise_is_estimated(snr: float) -> None:
    spoken, between = 100, 60
    speech = np.concatenate([noise(spoken * 0.032, 0.1), np.zeros(between * WINDOW_SAMPLES, np.float32)])
    added = noise((spoken + between) * 0.032, 0.1 * 10 ** (-snr / 20), seed=1)
    told = [0.9] * spoken + [0.1] * between
    quality = judge(seen(speech + added, told))
    assert quality.snr_db == pytest.approx(snr, abs=0.7)
    assert quality.speech_share == pytest.approx(100 / 160)


def test_what_lies_close_to_speech_is_no_noise() -> None:
    told = np.array([0.0] * 30 + [0.9] * 20 + [0.0] * 30)
    power = np.array([1e-6] * 22 + [1e-3] * 8 + [1e-2] * 20 + [1e-3] * 8 + [1e-6] * 22)
    assert snr_db(power, told) == pytest.approx(40.0, abs=0.1)


@pytest.mark.parametrize("speech", [[0.9] * 40, [0.1] * 40, [0.9] * 10 + [0.1] * 30, []])
def test_without_enough_of_both_there_is_no_snr(speech: list[float]) -> None:
    assert snr_db(np.full(len(speech), 0.01), np.array(speech)) is None


def test_digital_silence_is_not_infinitely_quiet() -> None:
    assert snr_db(np.array([0.01] * 40 + [0.0] * 40), np.array([0.9] * 40 + [0.0] * 40)) == 60.0


@pytest.mark.parametrize(
    ("signal", "share"),
    [
        (tone(1.0, 300.0, 0.99), 0.0),
        (np.clip(tone(1.0, 300.0, 2.0), -1, 1), 2 / 3),
        (np.clip(tone(1.0, 300.0, 1.02), -1, 1), 0.13),
        (noise(1.0, 0.3), 0.0),
        (np.zeros(16_000, np.float32), 0.0),
    ],
)
def test_clipping_is_where_waves_are_flat_and_loud(signal: Signal, share: float) -> None:
    stored = to_float(from_float(signal))
    assert count_clipped(stored) / stored.size == pytest.approx(share, abs=0.02)


def test_nothing_at_all_has_figures_too() -> None:
    quality = judge(Windows(np.zeros(0), np.zeros(0), 0.0, 0, 0))
    assert (quality.rms_dbfs, quality.silence_share, quality.speech_dbfs, quality.snr_db) == (-100.0, 1.0, None, None)


def test_the_worst_channel_counts_where_mixing_hides_it() -> None:
    mixed = Quality(-30, -12, -28, 40.0, 0.0, 0.1, 0.8)
    bad, good = Quality(-30, 0.0, -28, 8.0, 0.02, 0.5, 0.4), Quality(-30, -20, -28, None, 0.0, 0.5, 0.4)
    assert worst(mixed, (bad, good)) == Quality(-30, 0.0, -28, 8.0, 0.02, 0.1, 0.8)
