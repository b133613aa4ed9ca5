import numpy as np

from training.speech.mel import BANDS, band_hz
from training.whisper.disturb import QUIETEST, Disturbance
from training.whisper.recipe import Recipe

WARPED = Recipe(noisy=0, telephone=0, masked=0, warped=1.0)


def test_bands_rise() -> None:
    assert band_hz().shape == (BANDS,)
    assert (np.diff(band_hz()) > 0).all()


def test_a_warped_window_has_its_formants_elsewhere() -> None:
    rng = np.random.default_rng(1)
    logs = np.full((40, BANDS), QUIETEST, np.float32)
    formant = int(np.argmin(np.abs(band_hz() - 1_500)))
    logs[:, formant] = 0.0
    disturbance = Disturbance([], rng)
    heard = [disturbance.disturb(logs, WARPED) for _ in range(60)]
    assert all(mel.shape == logs.shape and np.isfinite(mel).all() for mel in heard)
    found_hz = [float(band_hz()[mel.mean(0).argmax()]) for mel in heard]
    assert min(found_hz) > 1_000
    assert max(found_hz) < 2_600
    assert len({round(hz) for hz in found_hz}) > 5


def test_a_window_that_is_not_warped_stays_in_its_bands() -> None:
    logs = np.full((40, BANDS), QUIETEST, np.float32)
    logs[:, 30] = 0.0
    mel = Disturbance([], np.random.default_rng(2)).disturb(logs, Recipe(noisy=0, telephone=0, masked=0))
    assert int(mel.mean(0).argmax()) == 30
