"""Noises: what else may be heard while somebody speaks, from hiss to hold music, each a new one for every draw.

A recipe returns at least ``samples`` samples at any level; :func:`noise` crops them and brings them to unit RMS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.acoustics import SAMPLE_RATE_HZ, Audio, at_level, rms, within_full_scale
from training.acoustics.music import additive, bell, fm, organ_pipe, played, plucked
from training.acoustics.waves import (
    band,
    drops,
    filtered,
    moments,
    place,
    shaped,
    sine,
    slope,
    stack,
    time_s,
    wander,
    wave,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Recipe = Callable[[int, Generator], Audio]

LARGEST_CREST = 10.0
"""Peaks are bent to about this many times the RMS; else a single click would drown a phrase."""
BABBLE_VOICES = (4, 8)
ACTIVE_DB = 35.0
"""Speech frames this far below the loudest frame are pauses, which the speech level leaves out."""


def noise(kind: str, seconds: float, rng: Generator) -> Audio:
    """Return noise of a kind from :data:`TRAINING_KINDS` or :data:`HELD_OUT_KINDS`, of unit RMS."""
    recipe = RECIPES.get(kind)
    if recipe is None:
        raise ValueError(f"unknown noise {kind!r}; choose from {', '.join(RECIPES)}")
    samples = round(seconds * SAMPLE_RATE_HZ)
    return _unit(recipe(samples, rng)[:samples])


def babble(voices: Sequence[Audio], seconds: float, rng: Generator) -> Audio:
    """Return four to eight people talking at once, of unit RMS, each saying clips drawn from ``voices``.

    Raises:
        ValueError: there is no voice with sound in it.
    """
    audible = [voice for voice in voices if rms(voice) > 0]
    if not audible:
        raise ValueError("babble needs at least one clip that is not silent")
    samples = round(seconds * SAMPLE_RATE_HZ)
    mixed = np.zeros(samples, np.float32)
    for _ in range(int(rng.integers(BABBLE_VOICES[0], BABBLE_VOICES[1] + 1))):
        gain = 10 ** (rng.uniform(-6, 6) / 20)
        first = audible[int(rng.integers(len(audible)))]
        at = -int(rng.integers(first.size))
        voice = first
        while at < samples:
            place(mixed, at, at_level(voice, gain))
            at += voice.size
            voice = audible[int(rng.integers(len(audible)))]
    return _unit(mixed)


def speech_level(speech: Audio) -> float:
    """Return the RMS of the frames in which somebody speaks; 0.0 for silence."""
    frame = SAMPLE_RATE_HZ // 50
    frames = np.pad(speech, (0, -speech.size % frame)).reshape(-1, frame)
    powers = np.mean(frames**2, axis=1)
    loudest = float(np.max(powers, initial=0.0))
    return float(np.sqrt(np.mean(powers[powers >= loudest * 10 ** (-ACTIVE_DB / 10)]))) if loudest > 0 else 0.0


def mix(speech: Audio, noise: Audio, snr_db: float) -> Audio:
    """Return speech with noise ``snr_db`` below :func:`speech_level`, in [-1, 1]; noise repeats or is cut to fit."""
    fitted = at_level(np.resize(noise, speech.size), speech_level(speech) * 10 ** (-snr_db / 20))
    return within_full_scale(speech + fitted)


def _unit(audio: Audio) -> Audio:
    """Return audio of unit RMS and a bounded crest, around zero."""
    audio = at_level(audio - np.mean(audio, dtype=np.float64).astype(np.float32), 1.0)
    for _ in range(6):  # bending the peaks lowers the RMS, and so raises the crest
        if float(np.max(np.abs(audio), initial=0.0)) <= 1.5 * LARGEST_CREST:
            break
        audio = at_level(LARGEST_CREST * np.tanh(audio / LARGEST_CREST), 1.0)
    return audio


def _white(samples: int, rng: Generator) -> Audio:
    return rng.standard_normal(samples, dtype=np.float32)


def _pink(samples: int, rng: Generator) -> Audio:
    return shaped(samples, rng, slope(rng.uniform(0.35, 0.65)))


def _brown(samples: int, rng: Generator) -> Audio:
    return shaped(samples, rng, slope(rng.uniform(0.85, 1.2)))


def _hum(samples: int, rng: Generator) -> Audio:
    mains_hz = float(rng.choice((50.0, 60.0))) * rng.uniform(0.998, 1.002)
    count = int(rng.integers(5, 24))
    amplitudes = rng.lognormal(0, 0.6, count) * np.arange(1, count + 1) ** -rng.uniform(0.4, 1.6)
    amplitudes[1::2] *= rng.uniform(0.2, 2.0)
    humming = at_level(stack(np.arange(samples, dtype=np.float64) * (mains_hz / SAMPLE_RATE_HZ), amplitudes, rng), 1.0)
    return humming + np.float32(rng.uniform(0, 0.2)) * _pink(samples, rng)


def _fan(samples: int, rng: Generator) -> Audio:
    blades_hz = rng.uniform(18, 140)
    turns = np.cumsum(blades_hz / SAMPLE_RATE_HZ * (1 + 0.01 * wander(samples, 0.5, rng).astype(np.float64)))
    air = shaped(samples, rng, band(rng.uniform(40, 200), rng.uniform(300, 3_000), rng.uniform(1.5, 4)))
    blown = air * (1 + np.float32(rng.uniform(0, 0.6)) * wave(turns))
    tonal = at_level(stack(turns, rng.uniform(0.1, 1, 6) / np.arange(1, 7), rng), float(rng.uniform(0.05, 0.6)))
    return (blown + tonal).astype(np.float32)


def _traffic(samples: int, rng: Generator) -> Audio:
    rumble = shaped(samples, rng, band(25, rng.uniform(80, 300), 3))
    out = rumble * (1 + np.float32(0.4) * wander(samples, 1.0, rng))
    seconds = time_s(samples)
    for _ in range(1 + rng.poisson(samples / SAMPLE_RATE_HZ / 5)):
        middle_s, width_s = rng.uniform(0, samples / SAMPLE_RATE_HZ), rng.uniform(0.4, 2.0)
        envelope = np.float32(rng.uniform(0.5, 3)) / (1 + ((seconds - np.float32(middle_s)) / np.float32(width_s)) ** 2)
        out += envelope * shaped(samples, rng, band(rng.uniform(60, 250), rng.uniform(700, 2_500), 3))
    return out


def _keyboard(samples: int, rng: Generator) -> Audio:
    keys = []
    for _ in range(6):
        length = int(rng.uniform(0.006, 0.03) * SAMPLE_RATE_HZ)
        click = shaped(length, rng, band(rng.uniform(300, 1_500), rng.uniform(2_500, 7_500)))
        keys.append(click * np.exp(-time_s(length) * np.float32(5 / (length / SAMPLE_RATE_HZ))))
    out = np.float32(rng.uniform(0.005, 0.04)) * _pink(samples, rng)
    at, pace_s = 0, rng.uniform(0.09, 0.25)
    while at < samples:
        for delay_s, gain in ((0.0, 1.0), (rng.uniform(0.05, 0.11), 0.4)):  # down, and up again
            key = keys[int(rng.integers(len(keys)))]
            place(out, at + int(delay_s * SAMPLE_RATE_HZ), key * np.float32(gain * rng.uniform(0.4, 1.0)))
        at += int(pace_s * rng.lognormal(0, 0.4) * SAMPLE_RATE_HZ)
    return out


def _clatter(samples: int, rng: Generator) -> Audio:
    out = np.float32(rng.uniform(0.002, 0.02)) * _pink(samples, rng)
    for at in moments(samples, rng.uniform(2, 9), rng):
        length = int(rng.uniform(0.03, 0.35) * SAMPLE_RATE_HZ)
        seconds = time_s(length)
        impact = np.zeros(length, np.float32)
        for hz in np.exp(rng.uniform(np.log(350), np.log(7_000), int(rng.integers(3, 8)))):
            decay = np.float32(rng.uniform(1, 3) * 6.9 / (length / SAMPLE_RATE_HZ))
            impact += np.float32(rng.uniform(0.2, 1)) * sine(float(hz), length) * np.exp(-decay * seconds)
        place(out, int(at), impact * np.float32(rng.lognormal(0, 0.6)))
    return out


def _rain(samples: int, rng: Generator) -> Audio:
    drip = drops(samples, rng.uniform(300, 4_000), rng.uniform(0.6, 1.3), rng)
    falling = filtered(drip, band(rng.uniform(300, 1_500), rng.uniform(3_000, 7_500), 2))
    return falling + np.float32(rng.uniform(0.2, 1.0)) * shaped(samples, rng, band(300, rng.uniform(2_000, 7_000), 2))


def _vinyl(samples: int, rng: Generator) -> Audio:
    crackle = filtered(drops(samples, rng.uniform(8, 80), 0.8, rng), band(rng.uniform(200, 900), 6_000, 2))
    turn: Audio = 1 + np.float32(0.5) * sine(33.3 / 60, samples, rng.random())
    rumble = shaped(samples, rng, band(15, 60)) * np.float32(rng.uniform(0.05, 0.5))
    played: Audio = crackle * turn + rumble
    return played + np.float32(rng.uniform(0.05, 0.4)) * _pink(samples, rng)


def _tones(samples: int, rng: Generator) -> Audio:
    """Return a steady or beeping tone, DTMF digits, or a ring, busy or dial tone (ITU-T E.180 names their ranges)."""
    style = int(rng.integers(5))
    seconds = time_s(samples)
    if style == 0:
        return sine(float(np.exp(rng.uniform(np.log(120), np.log(4_000)))), samples)
    if style == 1:  # beeps
        period_s = rng.uniform(0.3, 1.5)
        open_ = (seconds % np.float32(period_s)) < period_s * rng.uniform(0.2, 0.6)
        return sine(rng.uniform(500, 3_000), samples) * _eased(open_)
    if style == 2:  # DTMF, ITU-T Q.23
        out = np.zeros(samples, np.float32)
        tone, gap = (int(rng.uniform(low, high) * SAMPLE_RATE_HZ) for low, high in ((0.06, 0.25), (0.05, 0.3)))
        envelope = _eased(np.ones(tone, np.bool_))
        for at in range(0, samples, tone + gap):
            row_hz, column_hz = rng.choice((697.0, 770.0, 852.0, 941.0)), rng.choice((1_209.0, 1_336.0, 1_477.0))
            place(out, at, (sine(row_hz, tone) + sine(column_hz, tone)) * envelope)
        return out
    pair_hz = ((440.0, 480.0), (480.0, 620.0), (350.0, 440.0), (425.0, 425.0), (400.0, 450.0))[int(rng.integers(5))]
    on_s, off_s = ((0.5, 0.5), (0.25, 0.25), (0.4, 0.2))[int(rng.integers(3))] if style == 3 else (1.0, 1.5)
    ringing = ((seconds + np.float32(rng.uniform(0, 0.8 * on_s))) % np.float32(on_s + off_s)) < on_s
    return (sine(pair_hz[0], samples) + sine(pair_hz[1], samples)) * _eased(ringing)


def _eased(open_: NDArray[np.bool_]) -> Audio:
    """Return a gate whose edges take 5 ms."""
    width = SAMPLE_RATE_HZ // 200
    total = np.cumsum(np.pad(open_.astype(np.float32), (width, 0)))
    return ((total[width:] - total[:-width]) / np.float32(width)).astype(np.float32)


def _engine(samples: int, rng: Generator) -> Audio:
    """Return a motor whose speed comes and goes: harmonics of half its rate, and the noise of its exhaust."""
    rpm = rng.uniform(900, 3_500) * (1 + rng.uniform(0.1, 0.5) * wander(samples, rng.uniform(0.2, 0.8), rng))
    turns = np.cumsum(rpm.astype(np.float64)) / (120 * SAMPLE_RATE_HZ)
    amplitudes = rng.uniform(0.1, 1, 28) * np.arange(1, 29) ** -0.6
    amplitudes[3::4] *= 3  # four cylinders fire twice a turn
    exhaust = shaped(samples, rng, band(40, 900, 2)) * (1 + np.float32(0.7) * wave(4 * turns))
    return (at_level(stack(turns, amplitudes, rng), 1.0) + np.float32(rng.uniform(0.2, 0.7)) * exhaust).astype(
        np.float32
    )


def _wind(samples: int, rng: Generator) -> Audio:
    gusts = np.exp(np.float32(1.2) * wander(samples, 0.7, rng) + np.float32(0.5) * wander(samples, 4.0, rng))
    whistle = shaped(samples, rng, band(rng.uniform(350, 600), rng.uniform(600, 900), 10)) * gusts
    low = shaped(samples, rng, lambda hz: slope(rng.uniform(0.9, 1.3))(hz) * band(15, 800, 2)(hz))
    return (low * gusts + np.float32(rng.uniform(0.0, 0.25)) * whistle * gusts).astype(np.float32)


def _music(samples: int, rng: Generator) -> Audio:
    return played(samples, rng, (additive, fm, plucked), 0.5)


def _organ(samples: int, rng: Generator) -> Audio:
    return played(samples, rng, (organ_pipe,), 0.0)


def _bells(samples: int, rng: Generator) -> Audio:
    return played(samples, rng, (bell,), 0.0)


TRAINING_RECIPES: dict[str, Recipe] = {
    "white": _white,
    "pink": _pink,
    "brown": _brown,
    "hum": _hum,
    "fan": _fan,
    "traffic": _traffic,
    "keyboard": _keyboard,
    "clatter": _clatter,
    "rain": _rain,
    "tones": _tones,
    "vinyl": _vinyl,
    "music": _music,
}
HELD_OUT_RECIPES: dict[str, Recipe] = {"engine": _engine, "wind": _wind, "organ": _organ, "bells": _bells}
RECIPES = TRAINING_RECIPES | HELD_OUT_RECIPES
TRAINING_KINDS = tuple(TRAINING_RECIPES)
HELD_OUT_KINDS = tuple(HELD_OUT_RECIPES)
"""Kinds for evaluation only: a model that has trained on them has nothing left to be tested with."""
