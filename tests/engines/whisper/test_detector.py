import numpy as np
import pytest
from faster_whisper.vad import get_vad_model
from tests.calls import call

from dragoman.engines.whisper.detector import SileroDetector


@pytest.mark.parametrize("frame", [160, 512, 1_600, 5_000])
def test_streaming_hears_what_the_whole_recording_says(frame: int) -> None:
    samples = call("en").samples(0, 6_000)
    detector = SileroDetector()
    found: list[float] = []
    for start in range(0, samples.size, frame):
        found += detector.probabilities(samples[start : start + frame])
    found += detector.finish()
    padded = np.pad(samples, (0, -samples.size % 512))
    assert found == pytest.approx(get_vad_model()(padded).tolist(), abs=1e-4)


def test_the_last_incomplete_window_is_judged_once() -> None:
    detector = SileroDetector()
    assert detector.probabilities(np.zeros(100, np.float32)) == []
    assert len(detector.finish()) == 1
    assert detector.finish() == []
