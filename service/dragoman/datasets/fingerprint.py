"""How two recordings are known to be the same sound, though their bytes, codec, level or first moment differ.

After Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): every frame gives 32 bits, whether
neighbouring bands of 300 to 3400 Hz came closer to each other since the frame before.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dragoman.domain.audio import SAMPLE_RATE_HZ

Print = NDArray[np.uint32]
"""One number per frame, shape ``(frames,)``; 0 where nothing is heard."""

LONGEST_SAMPLES: Final = 60 * SAMPLE_RATE_HZ
"""How much of a recording is looked at."""

_FRAME_SAMPLES: Final = 4_096
_HOP_SAMPLES: Final = 512
_BATCH_FRAMES: Final = 128
_BANDS: Final = 33
_LOWEST_HZ: Final = 300.0
_HIGHEST_HZ: Final = 3_400.0
_AUDIBLE: Final = 1e-4
"""Share of the power of the loudest frame (-40 dB) below which a frame says nothing: noise would decide."""

_LARGEST_SHIFT: Final = 16
_FEWEST_FRAMES: Final = 31
"""Half a second between their beginnings may be, and a second that both have must be."""

_SIMILAR_LENGTH: Final = 0.75

_MOST_WRONG: Final = 0.3
"""Share of bits. Measured on the samples: quieter, at 8 kHz, as Opus at 16 kbit/s, or with noise at 10 dB a call
differs from itself by 0.17 at most, and any two calls differ by 0.46 at least.
"""

_FEWEST_WORDS: Final = 3
_MANY: Final = 50
"""Pairs with fewer frames in common are not looked at."""


def fingerprint(samples: NDArray[np.float32]) -> Print:
    """Return the fingerprint of a recording's beginning; shape of the samples is ``(samples,)``."""
    heard = samples[:LONGEST_SAMPLES]
    if heard.size < _FRAME_SAMPLES + _HOP_SAMPLES:
        return np.zeros(0, np.uint32)
    frames = np.lib.stride_tricks.sliding_window_view(heard, _FRAME_SAMPLES)[::_HOP_SAMPLES]
    batches = range(0, len(frames), _BATCH_FRAMES)  # spectra of all at once would take 150 MB
    bands = np.concatenate([_band_powers(frames[start : start + _BATCH_FRAMES]) for start in batches])
    slopes = np.diff(bands, axis=1)
    bits = np.diff(slopes, axis=0) > 0
    words = np.packbits(bits, axis=1).view(">u4").astype(np.uint32).ravel()
    power = bands.sum(axis=1)[1:]
    loudest = float(power.max(initial=0.0))
    return np.where(power > loudest * _AUDIBLE, words, 0).astype(np.uint32)


def _band_powers(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(_FRAME_SAMPLES).astype(np.float32), axis=1)) ** 2
    edges_hz = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1)
    edges = np.rint(edges_hz * _FRAME_SAMPLES / SAMPLE_RATE_HZ).astype(int)
    powers: NDArray[np.float64] = np.add.reduceat(spectrum[:, : edges[-1]], edges[:-1], axis=1)
    return powers


def difference(one: Print, two: Print) -> float:
    """Return the share of bits that differ where both are heard, at the best shift; 1 if they have too little of it.

    One of which the other is only the beginning is another recording: many calls begin with the same announcement.
    """
    best = 1.0
    if min(one.size, two.size) < _SIMILAR_LENGTH * max(one.size, two.size):
        return best
    for shift in range(-_LARGEST_SHIFT, _LARGEST_SHIFT + 1):
        ours, theirs = one[max(shift, 0) :], two[max(-shift, 0) :]
        length = min(ours.size, theirs.size)
        ours, theirs = ours[:length], theirs[:length]
        both = (ours != 0) & (theirs != 0)
        frames = int(both.sum())
        if frames >= _FEWEST_FRAMES:
            wrong = int(np.unpackbits((ours[both] ^ theirs[both]).view(np.uint8)).sum())
            best = min(best, wrong / (32 * frames))
    return best


def same_sounds(prints: Mapping[str, Print]) -> list[tuple[str, str]]:
    """Return pairs of recordings that are one sound, in the order of the mapping."""
    names = list(prints)
    return [
        (names[one], names[two])
        for one, two in _candidates(list(prints.values()))
        if difference(prints[names[one]], prints[names[two]]) <= _MOST_WRONG
    ]


def _candidates(prints: Sequence[Print]) -> list[tuple[int, int]]:
    """Return pairs that have some frames in common to the bit: copies always do, and strangers hardly ever."""
    unique = [np.unique(words[words != 0]) for words in prints]
    words = np.concatenate([*unique, np.zeros(0, np.uint32)])
    owners = np.repeat(np.arange(len(unique)), [found.size for found in unique])
    order = np.argsort(words, kind="stable")
    words, owners = words[order], owners[order]
    starts = np.flatnonzero(np.diff(words, prepend=words[:1] + 1))
    ends = np.append(starts[1:], words.size)
    shared: Counter[tuple[int, int]] = Counter()
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        numbers = owners[start:end].tolist()
        # Of what very many have, all pairs would be too many; that they are like the first of them is enough.
        pairs = combinations(numbers, 2) if len(numbers) <= _MANY else ((numbers[0], other) for other in numbers[1:])
        shared.update(pairs)
    return sorted(pair for pair, count in shared.items() if count >= _FEWEST_WORDS)
