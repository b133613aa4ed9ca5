"""Spoken test sentences that training never saw, fixed by seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.acoustics.noises import HELD_OUT_KINDS, mix, noise
from training.speech.espeak import SAMPLE_RATE_HZ, Style, espeak
from training.speech.voices import HELD_OUT_EXOTIC, HELD_OUT_ORDINARY, ORDINARY, choose_voice
from training.text.sentences import LANGUAGES, Sentence, Split, sentences

FloatArray = NDArray[np.float32]
Disturb = Callable[[FloatArray, np.random.Generator], FloatArray]

_SEED: Final = 20_261_122
_NOISE_DB: Final = 10.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A spoken sentence with some silence around it; times in seconds from the clip's start."""

    samples: FloatArray
    language: str
    text: str
    english: str
    words: tuple[tuple[str, float], ...]
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Condition:
    """What a test set is made of."""

    name: str
    split: Split
    variants: tuple[str, ...]
    noisy: bool = False


CONDITIONS: Final = (
    Condition("unseen combinations, ordinary voices", "combination", ORDINARY),
    Condition("unseen combinations, ordinary voices never heard", "combination", HELD_OUT_ORDINARY),
    Condition("unseen combinations, exotic voices never heard", "combination", HELD_OUT_EXOTIC),
    Condition("unseen patterns, ordinary voices", "pattern", ORDINARY),
    Condition("unseen combinations, ordinary voices, noise never heard at 10 dB", "combination", ORDINARY, noisy=True),
)


def clips(condition: Condition, per_language: int) -> Iterator[Clip]:
    """Yield so many clips of each language."""
    number = CONDITIONS.index(condition)
    source = sentences(_SEED + number, condition.split)
    for at in range(per_language * len(LANGUAGES)):
        rng = np.random.default_rng((_SEED, number, at))
        yield speak(next(source), LANGUAGES[at % len(LANGUAGES)], condition, rng)


def speak(sentence: Sentence, language: str, condition: Condition, rng: np.random.Generator) -> Clip:
    """Speak a sentence with a voice of the condition."""
    voice = choose_voice(language, condition.variants, rng)
    style = Style(int(rng.integers(130, 190)), int(rng.integers(35, 66)), int(rng.integers(35, 66)))
    spoken = espeak().speak(sentence.words[language], voice, style)
    lead_s, tail_s = float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.6, 0.9))
    lead, tail = round(lead_s * SAMPLE_RATE_HZ), round(tail_s * SAMPLE_RATE_HZ)
    samples = 0.5 * np.pad(spoken.samples, (lead, tail))
    if condition.noisy:
        kind = str(rng.choice(HELD_OUT_KINDS))
        samples = mix(samples, noise(kind, len(samples) / SAMPLE_RATE_HZ, rng), _NOISE_DB)
    voiced = np.flatnonzero(np.abs(spoken.samples) > 0.01 * np.abs(spoken.samples).max())
    starts = zip(sentence.words[language], spoken.word_starts_s, strict=True)
    return Clip(
        samples.astype(np.float32),
        language,
        sentence.text(language),
        sentence.text("en"),
        tuple((word.written, lead_s + start) for word, start in starts),
        lead_s + float(voiced[0]) / SAMPLE_RATE_HZ,
        lead_s + float(voiced[-1]) / SAMPLE_RATE_HZ,
    )
