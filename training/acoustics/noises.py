"""Noises: what else may be heard while somebody speaks, from hiss to hold music, each a new one for every draw.

A recipe returns at least ``samples`` samples at any level; :func:`noise` crops them and brings them to unit RMS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.acoustics import SAMPLE_RATE_HZ, Audio, at_level, fast_length, rms, within_full_scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Recipe = Callable[[int, Generator], Audio]
    Gain = Callable[[NDArray[np.float32]], NDArray[np.float32]]
    Timbre = Callable[[float, int], Audio]

LARGEST_CREST = 10.0
"""Peaks are bent to about this many times the RMS; else a single click would drown a phrase."""
BABBLE_VOICES = (4, 8)
ACTIVE_DB = 35.0
"""Speech frames this far below the loudest frame are pauses, which the speech level leaves out."""
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
            _place(mixed, at, at_level(voice, gain))
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


def _place(onto: Audio, at: int, event: Audio) -> None:
    """Add an event to ``onto`` at a sample that may lie outside; what does not fit is left out."""
    start, end = max(at, 0), min(at + event.size, onto.size)
    if end > start:
        onto[start:end] += event[start - at : end - at]


def _shaped(samples: int, rng: Generator, gain: Gain) -> Audio:
    """Return Gaussian noise whose amplitude over frequency in hertz follows ``gain``, of unit RMS."""
    return _filtered(rng.standard_normal(fast_length(samples), dtype=np.float32), gain)[:samples]


def _filtered(audio: Audio, gain: Gain) -> Audio:
    """Return audio of unit RMS through a filter that has no phase and wraps around at the ends."""
    size = fast_length(audio.size)
    hz = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE_HZ / size)
    spectrum = np.fft.rfft(audio, size) * gain(np.maximum(hz, np.float32(1)))
    return at_level(np.fft.irfft(spectrum, size)[: audio.size].astype(np.float32), 1.0)


def _band(low_hz: float, high_hz: float, order: float = 4.0) -> Gain:
    low, high, slope = np.float32(low_hz), np.float32(high_hz), np.float32(order)
    return lambda hz: np.reciprocal(np.sqrt((1 + (low / hz) ** slope) * (1 + (hz / high) ** slope)))


def _slope(exponent: float) -> Gain:
    return lambda hz: np.maximum(hz, np.float32(20)) ** np.float32(-exponent) * (hz > np.float32(15))


def _wander(samples: int, rate_hz: float, rng: Generator) -> Audio:
    """Return a smooth random curve in about [-1, 1] that turns ``rate_hz`` times a second."""
    points = rng.uniform(-1, 1, int(samples / SAMPLE_RATE_HZ * rate_hz) + 3)
    across = np.linspace(0, points.size - 2, samples)
    left = across.astype(np.int64)
    ease = 0.5 - 0.5 * np.cos(np.pi * (across - left))
    return (points[left] * (1 - ease) + points[left + 1] * ease).astype(np.float32)


def _time_s(samples: int) -> Audio:
    return np.arange(samples, dtype=np.float32) / np.float32(SAMPLE_RATE_HZ)


def _sine(hz: float, samples: int, turns: float = 0.0) -> Audio:
    return _wave(np.arange(samples, dtype=np.float64) * (hz / SAMPLE_RATE_HZ) + turns)


def _wave(turns: NDArray[np.float64]) -> Audio:
    """Return the sine of a phase counted in turns; whole turns are dropped while it is precise."""
    angle: Audio = (2 * np.pi * (turns - np.floor(turns))).astype(np.float32)
    return np.sin(angle)


def _stack(turns: NDArray[np.float64], amplitudes: NDArray[np.float64], rng: Generator) -> Audio:
    """Return the harmonics of a phase counted in turns, starting with the first, each at a random phase."""
    out = np.zeros(turns.size, np.float32)
    for number, amplitude in enumerate(amplitudes, start=1):
        out += np.float32(amplitude) * _wave(number * turns + rng.random())
    return out


def _moments(samples: int, per_second: float, rng: Generator) -> NDArray[np.int64]:
    """Return when things happen, in samples; at least one does."""
    return rng.integers(0, samples, max(1, rng.poisson(per_second * samples / SAMPLE_RATE_HZ)))


def _drops(samples: int, per_second: float, spread: float, rng: Generator) -> Audio:
    """Return single-sample impulses of log-normal size."""
    out = np.zeros(samples, np.float32)
    at = _moments(samples, per_second, rng)
    sizes = rng.lognormal(0, spread, at.size) * rng.choice((-1.0, 1.0), at.size)
    np.add.at(out, at, sizes.astype(np.float32))
    return out


def _white(samples: int, rng: Generator) -> Audio:
    return rng.standard_normal(samples, dtype=np.float32)


def _pink(samples: int, rng: Generator) -> Audio:
    return _shaped(samples, rng, _slope(rng.uniform(0.35, 0.65)))


def _brown(samples: int, rng: Generator) -> Audio:
    return _shaped(samples, rng, _slope(rng.uniform(0.85, 1.2)))


def _hum(samples: int, rng: Generator) -> Audio:
    mains_hz = float(rng.choice((50.0, 60.0))) * rng.uniform(0.998, 1.002)
    count = int(rng.integers(5, 24))
    amplitudes = rng.lognormal(0, 0.6, count) * np.arange(1, count + 1) ** -rng.uniform(0.4, 1.6)
    amplitudes[1::2] *= rng.uniform(0.2, 2.0)
    humming = at_level(_stack(np.arange(samples, dtype=np.float64) * (mains_hz / SAMPLE_RATE_HZ), amplitudes, rng), 1.0)
    return humming + np.float32(rng.uniform(0, 0.2)) * _pink(samples, rng)


def _fan(samples: int, rng: Generator) -> Audio:
    blades_hz = rng.uniform(18, 140)
    turns = np.cumsum(blades_hz / SAMPLE_RATE_HZ * (1 + 0.01 * _wander(samples, 0.5, rng).astype(np.float64)))
    air = _shaped(samples, rng, _band(rng.uniform(40, 200), rng.uniform(300, 3_000), rng.uniform(1.5, 4)))
    blown = air * (1 + np.float32(rng.uniform(0, 0.6)) * _wave(turns))
    tonal = at_level(_stack(turns, rng.uniform(0.1, 1, 6) / np.arange(1, 7), rng), float(rng.uniform(0.05, 0.6)))
    return (blown + tonal).astype(np.float32)


def _traffic(samples: int, rng: Generator) -> Audio:
    rumble = _shaped(samples, rng, _band(25, rng.uniform(80, 300), 3))
    out = rumble * (1 + np.float32(0.4) * _wander(samples, 1.0, rng))
    seconds = _time_s(samples)
    for _ in range(1 + rng.poisson(samples / SAMPLE_RATE_HZ / 5)):
        middle_s, width_s = rng.uniform(0, samples / SAMPLE_RATE_HZ), rng.uniform(0.4, 2.0)
        envelope = np.float32(rng.uniform(0.5, 3)) / (1 + ((seconds - np.float32(middle_s)) / np.float32(width_s)) ** 2)
        out += envelope * _shaped(samples, rng, _band(rng.uniform(60, 250), rng.uniform(700, 2_500), 3))
    return out


def _keyboard(samples: int, rng: Generator) -> Audio:
    keys = []
    for _ in range(6):
        length = int(rng.uniform(0.006, 0.03) * SAMPLE_RATE_HZ)
        click = _shaped(length, rng, _band(rng.uniform(300, 1_500), rng.uniform(2_500, 7_500)))
        keys.append(click * np.exp(-_time_s(length) * np.float32(5 / (length / SAMPLE_RATE_HZ))))
    out = np.float32(rng.uniform(0.005, 0.04)) * _pink(samples, rng)
    at, pace_s = 0, rng.uniform(0.09, 0.25)
    while at < samples:
        for delay_s, gain in ((0.0, 1.0), (rng.uniform(0.05, 0.11), 0.4)):  # down, and up again
            key = keys[int(rng.integers(len(keys)))]
            _place(out, at + int(delay_s * SAMPLE_RATE_HZ), key * np.float32(gain * rng.uniform(0.4, 1.0)))
        at += int(pace_s * rng.lognormal(0, 0.4) * SAMPLE_RATE_HZ)
    return out


def _clatter(samples: int, rng: Generator) -> Audio:
    out = np.float32(rng.uniform(0.002, 0.02)) * _pink(samples, rng)
    for at in _moments(samples, rng.uniform(2, 9), rng):
        length = int(rng.uniform(0.03, 0.35) * SAMPLE_RATE_HZ)
        seconds = _time_s(length)
        impact = np.zeros(length, np.float32)
        for hz in np.exp(rng.uniform(np.log(350), np.log(7_000), int(rng.integers(3, 8)))):
            decay = np.float32(rng.uniform(1, 3) * 6.9 / (length / SAMPLE_RATE_HZ))
            impact += np.float32(rng.uniform(0.2, 1)) * _sine(float(hz), length) * np.exp(-decay * seconds)
        _place(out, int(at), impact * np.float32(rng.lognormal(0, 0.6)))
    return out


def _rain(samples: int, rng: Generator) -> Audio:
    drops = _drops(samples, rng.uniform(300, 4_000), rng.uniform(0.6, 1.3), rng)
    falling = _filtered(drops, _band(rng.uniform(300, 1_500), rng.uniform(3_000, 7_500), 2))
    return falling + np.float32(rng.uniform(0.2, 1.0)) * _shaped(samples, rng, _band(300, rng.uniform(2_000, 7_000), 2))


def _vinyl(samples: int, rng: Generator) -> Audio:
    crackle = _filtered(_drops(samples, rng.uniform(8, 80), 0.8, rng), _band(rng.uniform(200, 900), 6_000, 2))
    turn: Audio = 1 + np.float32(0.5) * _sine(33.3 / 60, samples, rng.random())
    rumble = _shaped(samples, rng, _band(15, 60)) * np.float32(rng.uniform(0.05, 0.5))
    played: Audio = crackle * turn + rumble
    return played + np.float32(rng.uniform(0.05, 0.4)) * _pink(samples, rng)


def _tones(samples: int, rng: Generator) -> Audio:
    """Return a steady or beeping tone, DTMF digits, or a ring, busy or dial tone (ITU-T E.180 names their ranges)."""
    style = int(rng.integers(5))
    seconds = _time_s(samples)
    if style == 0:
        return _sine(float(np.exp(rng.uniform(np.log(120), np.log(4_000)))), samples)
    if style == 1:  # beeps
        period_s = rng.uniform(0.3, 1.5)
        open_ = (seconds % np.float32(period_s)) < period_s * rng.uniform(0.2, 0.6)
        return _sine(rng.uniform(500, 3_000), samples) * _eased(open_)
    if style == 2:  # DTMF, ITU-T Q.23
        out = np.zeros(samples, np.float32)
        tone, gap = (int(rng.uniform(low, high) * SAMPLE_RATE_HZ) for low, high in ((0.06, 0.25), (0.05, 0.3)))
        envelope = _eased(np.ones(tone, np.bool_))
        for at in range(0, samples, tone + gap):
            row_hz, column_hz = rng.choice((697.0, 770.0, 852.0, 941.0)), rng.choice((1_209.0, 1_336.0, 1_477.0))
            _place(out, at, (_sine(row_hz, tone) + _sine(column_hz, tone)) * envelope)
        return out
    pair_hz = ((440.0, 480.0), (480.0, 620.0), (350.0, 440.0), (425.0, 425.0), (400.0, 450.0))[int(rng.integers(5))]
    on_s, off_s = ((0.5, 0.5), (0.25, 0.25), (0.4, 0.2))[int(rng.integers(3))] if style == 3 else (1.0, 1.5)
    ringing = ((seconds + np.float32(rng.uniform(0, 0.8 * on_s))) % np.float32(on_s + off_s)) < on_s
    return (_sine(pair_hz[0], samples) + _sine(pair_hz[1], samples)) * _eased(ringing)


def _eased(open_: NDArray[np.bool_]) -> Audio:
    """Return a gate whose edges take 5 ms."""
    width = SAMPLE_RATE_HZ // 200
    total = np.cumsum(np.pad(open_.astype(np.float32), (width, 0)))
    return ((total[width:] - total[:-width]) / np.float32(width)).astype(np.float32)


def _engine(samples: int, rng: Generator) -> Audio:
    """Return a motor whose speed comes and goes: harmonics of half its rate, and the noise of its exhaust."""
    rpm = rng.uniform(900, 3_500) * (1 + rng.uniform(0.1, 0.5) * _wander(samples, rng.uniform(0.2, 0.8), rng))
    turns = np.cumsum(rpm.astype(np.float64)) / (120 * SAMPLE_RATE_HZ)
    amplitudes = rng.uniform(0.1, 1, 28) * np.arange(1, 29) ** -0.6
    amplitudes[3::4] *= 3  # four cylinders fire twice a turn
    exhaust = _shaped(samples, rng, _band(40, 900, 2)) * (1 + np.float32(0.7) * _wave(4 * turns))
    return (at_level(_stack(turns, amplitudes, rng), 1.0) + np.float32(rng.uniform(0.2, 0.7)) * exhaust).astype(
        np.float32
    )


def _wind(samples: int, rng: Generator) -> Audio:
    gusts = np.exp(np.float32(1.2) * _wander(samples, 0.7, rng) + np.float32(0.5) * _wander(samples, 4.0, rng))
    whistle = _shaped(samples, rng, _band(rng.uniform(350, 600), rng.uniform(600, 900), 10)) * gusts
    low = _shaped(samples, rng, lambda hz: _slope(rng.uniform(0.9, 1.3))(hz) * _band(15, 800, 2)(hz))
    return (low * gusts + np.float32(rng.uniform(0.0, 0.25)) * whistle * gusts).astype(np.float32)


def _additive(rng: Generator) -> Timbre:
    """Return an instrument of harmonics: near a flute, clarinet, string or synthesiser, as the draw falls."""
    count = int(rng.integers(2, 13))
    amplitudes = np.arange(1, count + 1) ** -rng.uniform(0.7, 2.2) * rng.lognormal(0, 0.4, count)
    amplitudes[1::2] *= rng.choice((0.1, 1.0))
    attack_s, fall = float(rng.choice((0.008, 0.03, 0.12))), float(rng.choice((0.0, 1.0, 4.0, 9.0)))
    vibrato_hz, depth = rng.uniform(4, 7), rng.uniform(0, 0.004)

    def play(hz: float, length: int) -> Audio:
        seconds = _time_s(length)
        turns = hz * (np.arange(length) / SAMPLE_RATE_HZ + depth / 30 * _sine(vibrato_hz, length))
        audible = amplitudes[: max(1, int(7_600 / hz))]
        return _stack(turns, audible, rng) * _envelope(seconds, attack_s, fall)

    return play


def _fm(rng: Generator) -> Timbre:
    """Return a two-operator FM instrument: electric piano, brass or bass."""
    ratio, index = float(rng.choice((1.0, 1.0, 2.0, 3.0, 4.0))), rng.uniform(0.5, 4)
    attack_s, fall, dulling = float(rng.choice((0.005, 0.04))), rng.uniform(0.5, 5), rng.uniform(1, 10)

    def play(hz: float, length: int) -> Audio:
        seconds = _time_s(length)
        bright = np.float32(min(index, 3_000 / (ratio * hz))) * np.exp(-np.float32(dulling) * seconds)
        phase = np.float32(2 * np.pi * hz) * seconds
        tone: Audio = np.sin(phase + bright * np.sin(np.float32(ratio) * phase))
        return tone * _envelope(seconds, attack_s, fall)

    return play


def _plucked(rng: Generator) -> Timbre:
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
        return at_level(string[:length].astype(np.float32), 0.4) * _envelope(_time_s(length), 0.001, 0.0)

    return play


def _organ_pipe(rng: Generator) -> Timbre:
    levels = rng.uniform(0.05, 1, len(DRAWBARS)) * rng.choice((0.0, 1.0), len(DRAWBARS), p=(0.3, 0.7)) + 0.02
    tremolo_hz, depth = rng.uniform(4, 7.5), np.float32(rng.uniform(0, 0.3))

    def play(hz: float, length: int) -> Audio:
        heard = [(level, bar) for level, bar in zip(levels, DRAWBARS, strict=True) if bar * hz < 7_600]
        tone = sum((np.float32(level) * _sine(bar * hz, length) for level, bar in heard), np.zeros(length, np.float32))
        return tone * (1 + depth * _sine(tremolo_hz, length)) * _envelope(_time_s(length), 0.015, 0.0)

    return play


def _bell(rng: Generator) -> Timbre:
    levels, fall = rng.uniform(0.2, 1, len(BELL_PARTIALS)), rng.uniform(0.8, 2.5)

    def play(hz: float, length: int) -> Audio:
        seconds, tone = _time_s(length), np.zeros(length, np.float32)
        for level, partial in zip(levels, BELL_PARTIALS, strict=True):
            if partial * hz < 7_600:
                tone += np.float32(level) * _sine(partial * hz, length) * np.exp(-np.float32(fall * partial) * seconds)
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
    seconds = _time_s(SAMPLE_RATE_HZ // 4)
    sweep = 2 * np.pi * (rng.uniform(40, 60) * seconds + rng.uniform(3, 8) * (1 - np.exp(-25 * seconds)))
    hiss = _shaped(seconds.size, rng, _band(4_000, 7_900, 8))
    snap = _shaped(seconds.size, rng, _band(300, 6_000, 2)) + _sine(190, seconds.size)
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
                _place(out, at, (drum * rng.uniform(0.7, 1)).astype(np.float32))
    return out


def _played(
    samples: int, rng: Generator, timbres: Sequence[Callable[[Generator], Timbre]], drum_chance: float
) -> Audio:
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
                _place(out, at, gain * notes[pitch])
    if rng.random() < drum_chance:
        out += _drum_kit(beat, beats, samples, start, rng) * np.float32(rng.uniform(0.3, 1))
    if not out.any():  # every note of a short stretch was a rest
        _place(out, 0, timbre(440.0, samples))
    heard = _band(250, 3_400, 8) if rng.random() < 0.3 else _band(30, 7_800, 8)  # on hold, or in the room
    return _filtered(out, heard)


def _music(samples: int, rng: Generator) -> Audio:
    return _played(samples, rng, (_additive, _fm, _plucked), 0.5)


def _organ(samples: int, rng: Generator) -> Audio:
    return _played(samples, rng, (_organ_pipe,), 0.0)


def _bells(samples: int, rng: Generator) -> Audio:
    return _played(samples, rng, (_bell,), 0.0)


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
