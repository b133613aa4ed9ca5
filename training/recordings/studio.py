"""One recording from its script to its file."""

from pathlib import Path

import numpy as np

from training.acoustics import SAMPLE_RATE_HZ, Audio
from training.recordings.casting import Cast
from training.recordings.files import write
from training.recordings.finish import finish
from training.recordings.manifest import Entry, entry
from training.recordings.script import Recording
from training.recordings.take import Take, perform
from training.speech.espeak import espeak


def make(job: tuple[Recording, Cast, Path]) -> Entry:
    """Make one recording, in a process of its own; return its entry in the manifest."""
    recording, said, path = job
    espeak().seed(recording.seed)
    rng = np.random.default_rng(recording.seed)
    take = perform(recording, said.cues, rng) if said.cues else Take(_nothing(recording.seconds), ())
    audio = finish(recording, take, said.crowd, rng)
    write(path, audio, recording.rate_hz, recording.codec)
    return entry(recording, take, path)


def _nothing(seconds: float) -> Audio:
    return np.zeros((1, round(seconds * SAMPLE_RATE_HZ)), np.float32)
