"""Made-up music: chord progressions, played by synthetic instruments and a drum kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.acoustics import SAMPLE_RATE_HZ, Audio, at_level, fast_length
from training.acoustics.waves import band, filtered, place, shaped, sine, stack, time_s

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator

    Timbre = Callable[[float, int], Audio]

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 5, 7, 9, 10))
PROGRESSIONS = (
    (0, 4, 5, 3),
    (0, 5, 3, 4),
    (1, 4, 0, 0),
    (0, 3, 4, 3),
    (5, 3, 0, 4),
    (0, 6, 5, 4),
    (0, 2, 3, 4),
    (0, 3),
)
"""Chords by the step of the scale that they stand on, counted from 0."""
BELL_PARTIALS = (0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 2.66, 3.01, 4.17)
DRAWBARS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)


def additive(rng: Generator) -> Timbre:
    """Return an instrument of harmonics: near a flute, clarinet, string or synthesiser, as the draw falls."""
    count = int(rng.integers(2, 13))
    amplitudes = np.arange(1, count + 1) ** -rng.uniform(0.7, 2.2) * rng.lognormal(0, 0.4, count)
    amplitudes[1::2] *= rng.choice((0.1, 1.0))
    attack_s, fall = float(rng.choice((0.008, 0.03, 0.12))), float(rng.choice((0.0, 1.0, 4.0, 9.0)))
    vibrato_hz, depth = rng.uniform(4, 7), rng.uniform(0, 0.004)

    def play(hz: float, length: int) -> Audio:
        seconds = time_s(length)
        turns = hz * (np.arange(length) / SAMPLE_RATE_HZ + depth / 30 * sine(vibrato_hz, length))
        audible = amplitudes[: max(1, int(7_600 / hz))]
        return stack(turns, audible, rng) * _envelope(seconds, attack_s, fall)

    return play


def fm(rng: Generator) -> Timbre:
    """Return a two-operator FM instrument: electric piano, brass or bass."""
    ratio, index = float(rng.choice((1.0, 1.0, 2.0, 3.0, 4.0))), rng.uniform(0.5, 4)
    attack_s, fall, dulling = float(rng.choice((0.005, 0.04))), rng.uniform(0.5, 5), rng.uniform(1, 10)

    def play(hz: float, length: int) -> Audio:
        seconds = time_s(length)
        bright = np.float32(min(index, 3_000 / (ratio * hz))) * np.exp(-np.float32(dulling) * seconds)
        phase = np.float32(2 * np.pi * hz) * seconds
        tone: Audio = np.sin(phase + bright * np.sin(np.float32(ratio) * phase))
        return tone * _envelope(seconds, attack_s, fall)

    return play


def plucked(rng: Generator) -> Timbre:
    """Return a Karplus-Strong string (Computer Music Journal 7(2), 1983), its loop solved in the frequency domain.

    The transform runs on a circle outside the unit circle, so that what wraps around is 60 dB down.
    """
    ring_s, softness = rng.uniform(0.4, 3), rng.uniform(1.0, 4.0)

    def play(hz: float, length: int) -> Audio:
        size, period = fast_length(length), SAMPLE_RATE_HZ / hz
        radius = 1_000.0 ** (1 / size)
        shrinking = radius ** -np.arange(size)
        pluck = np.zeros(size)
        pluck[: int(period) + 1] = rng.standard_normal(int(period) + 1)
        angle = np.linspace(0, np.pi, size // 2 + 1)
        loop = 10 ** (-3 / (hz * ring_s)) * np.cos(angle / 2) * np.exp(-1j * angle * period) * radius**-period
        softened = np.fft.rfft(pluck * shrinking) * np.cos(angle / 2) ** softness
        string = np.fft.irfft(softened / (1 - loop), size) / shrinking
        return at_level(string[:length].astype(np.float32), 0.4) * _envelope(time_s(length), 0.001, 0.0)

    return play


def organ_pipe(rng: Generator) -> Timbre:
    """Return the pipes of a drawn registration, with or without tremolo."""
    levels = rng.uniform(0.05, 1, len(DRAWBARS)) * rng.choice((0.0, 1.0), len(DRAWBARS), p=(0.3, 0.7)) + 0.02
    tremolo_hz, depth = rng.uniform(4, 7.5), np.float32(rng.uniform(0, 0.3))

    def play(hz: float, length: int) -> Audio:
        heard = [(level, bar) for level, bar in zip(levels, DRAWBARS, strict=True) if bar * hz < 7_600]
        tone = sum((np.float32(level) * sine(bar * hz, length) for level, bar in heard), np.zeros(length, np.float32))
        return tone * (1 + depth * sine(tremolo_hz, length)) * _envelope(time_s(length), 0.015, 0.0)

    return play


def bell(rng: Generator) -> Timbre:
    """Return a bell: inharmonic partials, the higher ones gone sooner."""
    levels, fall = rng.uniform(0.2, 1, len(BELL_PARTIALS)), rng.uniform(0.8, 2.5)

    def play(hz: float, length: int) -> Audio:
        seconds, tone = time_s(length), np.zeros(length, np.float32)
        for level, partial in zip(levels, BELL_PARTIALS, strict=True):
            if partial * hz < 7_600:
                tone += np.float32(level) * sine(partial * hz, length) * np.exp(-np.float32(fall * partial) * seconds)
        return tone * _envelope(seconds, 0.002, 0.0)

    return play


def _envelope(seconds: Audio, attack_s: float, fall: float) -> Audio:
    """Return a note's rise, exponential fall per second, and release at its end."""
    rise = np.minimum(seconds / np.float32(attack_s), 1)
    release = np.minimum((seconds[-1] - seconds) / np.float32(0.03), 1)
    shape: Audio = rise * release * np.exp(-np.float32(fall) * seconds)
    return shape


def _drum_kit(beat: int, beats: int, samples: int, start: int, rng: Generator) -> Audio:
    """Return kick, snare and hat over the whole stretch, one pattern of eighths for each bar."""
    seconds = time_s(SAMPLE_RATE_HZ // 4)
    sweep = 2 * np.pi * (rng.uniform(40, 60) * seconds + rng.uniform(3, 8) * (1 - np.exp(-25 * seconds)))
    hiss = shaped(seconds.size, rng, band(4_000, 7_900, 8))
    snap = shaped(seconds.size, rng, band(300, 6_000, 2)) + sine(190, seconds.size)
    kick = 1.4 * np.sin(sweep) * np.exp(-rng.uniform(8, 18) * seconds)
    snare, hat = (
        0.5 * snap * np.exp(-rng.uniform(15, 35) * seconds),
        0.4 * hiss * np.exp(-rng.uniform(30, 90) * seconds),
    )
    steps = 2 * beats
    chances = rng.choice((0.0, 0.0, 1.0), (3, steps))  # a bar's pattern by drum and eighth
    chances[0, 0], chances[1, 2::4], chances[2, ::2] = 1.0, 1.0, 1.0
    out = np.zeros(samples, np.float32)
    for number, at in enumerate(range(start, samples, beat // 2)):
        for drum, chance in zip((kick, snare, hat), chances[:, number % steps], strict=True):
            if chance:
                place(out, at, (drum * rng.uniform(0.7, 1)).astype(np.float32))
    return out


def played(samples: int, rng: Generator, timbres: Sequence[Callable[[Generator], Timbre]], drum_chance: float) -> Audio:
    """Return a made-up piece: a chord progression in a key, with a random choice of parts that play it."""
    beats = int(rng.choice((3, 4, 4, 4)))
    beat = int(60 / rng.uniform(60, 150) * SAMPLE_RATE_HZ)
    scale, root = SCALES[int(rng.integers(len(SCALES)))], int(rng.integers(43, 56))
    progression = PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
    start = -int(rng.integers(beat * beats))
    out = np.zeros(samples, np.float32)
    parts = [part for part in ("pad", "stabs", "arpeggio", "lead", "bass") if rng.random() < 0.5]
    parts = parts if set(parts) - {"bass"} else [*parts, "arpeggio"]
    for part in parts:
        timbre, gain = timbres[int(rng.integers(len(timbres)))](rng), np.float32(rng.uniform(0.3, 1))
        octave = {"bass": -12, "lead": 12}.get(part, int(rng.choice((0, 12))))
        step = {"pad": beat * beats, "bass": beat}.get(part, beat // int(rng.choice((1, 2, 2, 4))))
        length = max(int(step * rng.uniform(0.7, 1.3)), SAMPLE_RATE_HZ // 10)
        order = rng.permutation(4)
        notes: dict[int, Audio] = {}
        degree = 0
        for number, at in enumerate(range(start, samples, step)):
            chord = progression[number * step // (beat * beats) % len(progression)]
            degrees = {"pad": [chord, chord + 2, chord + 4], "stabs": [chord, chord + 2, chord + 4], "bass": [chord]}
            if part == "lead":
                degree = int(np.clip(degree + rng.integers(-2, 3), -3, 9))
            if part in {"stabs", "lead"} and rng.random() < 0.35:
                continue
            for each in degrees.get(part, [degree if part == "lead" else chord + 2 * int(order[number % 4])]):
                pitch = root + octave + scale[each % 7] + 12 * (each // 7)
                if pitch not in notes:
                    notes[pitch] = timbre(440 * 2 ** ((pitch - 69) / 12), length)
                place(out, at, gain * notes[pitch])
    if rng.random() < drum_chance:
        out += _drum_kit(beat, beats, samples, start, rng) * np.float32(rng.uniform(0.3, 1))
    if not out.any():  # every note of a short stretch was a rest
        place(out, 0, timbre(440.0, samples))
    heard = band(250, 3_400, 8) if rng.random() < 0.3 else band(30, 7_800, 8)  # on hold, or in the room
    return filtered(out, heard)
