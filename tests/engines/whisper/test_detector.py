import numpy as np
import pytest
from faster_whisper.vad import get_vad_model

from dragoman.engines.whisper.detector import SileroDetector
from tests.calls import call


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_streaming_hears_what_the_whole_recording_says(batch: int) -> None:
    noise = np.random.default_rng(1).normal(0, 2e-3, 96_000).astype(np.float32)  # what cannot be heard is left out
    samples = call("en").samples(0, 6_000) + noise
    windows = np.pad(samples, (0, -samples.size % 512)).reshape(-1, 512)
    detector = SileroDetector()
    found = [p for at in range(0, len(windows), batch) for p in detector.probabilities(windows[at : at + batch])]
    assert found == pytest.approx(get_vad_model()(windows.reshape(-1)).tolist(), abs=1e-4)


def test_a_reset_forgets() -> None:
    windows = call("en").samples(600, 2_136).reshape(-1, 512)
    detector = SileroDetector()
    fresh = detector.probabilities(windows)
    assert detector.probabilities(windows) != fresh
    detector.reset()
    assert detector.probabilities(windows) == fresh


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_what_cannot_be_heard_is_no_speech_and_changes_nothing(batch: int) -> None:
    """Digital silence between sentences: the same sentences are found, whatever the batches."""
    samples = call("en").samples(0, 12_000)
    windows = np.pad(samples, (0, -samples.size % 512)).reshape(-1, 512)
    detector = SileroDetector()
    found = [p for at in range(0, len(windows), batch) for p in detector.probabilities(windows[at : at + batch])]
    whole = get_vad_model()(windows.reshape(-1))
    assert np.mean((np.array(found) >= 0.4) == (whole >= 0.4)) > 0.98
    assert found == pytest.approx(SileroDetector().probabilities(windows), abs=2e-3)
    assert SileroDetector().probabilities(np.zeros((50, 512), np.float32)) == [0.0] * 50
