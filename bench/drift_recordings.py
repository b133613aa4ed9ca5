"""Days of real recordings: heard as they are, in noise, sped up, and with other languages among them."""

import asyncio
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from dragoman import Recording, Runtime, Settings, Wishes
from dragoman.audio.decode import open_audio
from dragoman.audio.pcm import from_float, to_float
from dragoman.domain.audio import SAMPLE_RATE_HZ, AudioFrame
from dragoman.domain.tally import Cell, Tally
from dragoman.monitoring.drift import What
from dragoman.monitoring.signals import SessionSignals, tallied
from dragoman.resources import samples_folder

Samples = NDArray[np.float32]
Session = Mapping[Cell, Tally]

CALLS: Final = (
    *("en_call.wav", "es_call.wav", "de_call.wav", "fr_call.wav", "mixed_call.wav", "dentist_en_de.flac"),
    *("hotel_fr_es.flac", "helpline_de_fr_en.flac", "each_their_own_es_en.flac", "telephone_8khz_en.wav"),
    *("telephone_mulaw_es.wav", "telephone_wide_fr.flac", "opus_de.ogg", "browser_en_fr.webm", "quiet_fr.flac"),
    *("room_de.flac", "dictation_en.flac", "dictation_de.flac", "hesitations_es.flac", "fast_fr.flac", "slow_en.flac"),
    *("short_answers_de.flac", "monologue_de.flac", "exotic_voice_en.flac", "unheard_voices_es.flac"),
)
"""Recordings of people who speak, without noise that is meant."""

_ENGLISH: Final = tuple(name for name in CALLS if "_en" in name or name.startswith("en_"))
_TIMED: Final = ("decode_ms", "final_ms")
"""Figures of this machine, while others use it too: not of what is heard."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is done to recordings before they are heard."""

    name: str
    change: Callable[[Samples], Samples]


def noisy(snr_db: float) -> Callable[[Samples], Samples]:
    """Return what adds white noise, so many decibels below the mean power of a recording."""

    def change(samples: Samples) -> Samples:
        noise = np.random.default_rng(1).normal(0, 1, len(samples))
        level = np.sqrt(np.mean(samples.astype(np.float64) ** 2)) * 10 ** (-snr_db / 20)
        changed: Samples = np.clip(samples + noise * level, -1, 1).astype(np.float32)
        return changed

    return change


def faster(factor: float) -> Callable[[Samples], Samples]:
    """Return what plays a recording faster, and so higher."""

    def change(samples: Samples) -> Samples:
        played: Samples = soxr.resample(samples, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ).astype(np.float32)
        return played

    return change


CONDITIONS: Final = (
    Condition("as it is", lambda samples: samples),
    Condition("noise, 20 dB", noisy(20)),
    Condition("noise, 10 dB", noisy(10)),
    Condition("noise, 5 dB", noisy(5)),
    Condition("1.1 times as fast", faster(1.1)),
    Condition("1.25 times as fast", faster(1.25)),
)


def heard(condition: Condition) -> dict[str, Session]:
    """Return what every recording shows, heard by the bundled model and translated into English and German."""
    with Runtime(Settings(threads=1)) as runtime:
        return {name: asyncio.run(_hear(runtime, name, condition)) for name in CALLS}


async def _hear(runtime: Runtime, name: str, condition: Condition) -> Session:
    samples = condition.change(await _decoded(samples_folder() / "audio" / name))
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setframerate(SAMPLE_RATE_HZ)
        out.setnchannels(1)
        out.setsampwidth(2)
        out.writeframes(from_float(samples))
    signals = SessionSignals()
    wishes = Wishes(translate=["en", "de"])
    seen = [
        each
        async for event in runtime.transcribe(Recording(file.getvalue()), wishes)
        for each in signals.observe(event)
        if each.cell.signal not in _TIMED
    ]
    return tallied(seen)


async def _decoded(path: Path) -> Samples:
    pcm = bytearray()
    async with open_audio(path) as audio:
        async for item in audio:
            if isinstance(item, AudioFrame):
                pcm += item.pcm
    return to_float(bytes(pcm))


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days of so many sessions. Which recordings are common differs between days (Dirichlet, ``evenness`` each)."""

    sessions: int = 60
    evenness: float = 8.0


def day(
    pool: Mapping[str, Session], calendar: Calendar, random: np.random.Generator, only_english: float = 0.0
) -> dict[What, Tally]:
    """Return a day of sessions; of them a share is English, whatever else is common."""
    names = list(pool)
    shares = random.dirichlet(np.full(len(names), calendar.evenness))
    chosen = [names[at] for at in random.choice(len(names), calendar.sessions, p=shares)]
    chosen = [str(random.choice(_ENGLISH)) if random.random() < only_english else name for name in chosen]
    return _summed([pool[name] for name in chosen])


def mixed(
    pool: Mapping[str, Session],
    other: Mapping[str, Session],
    share: float,
    calendar: Calendar,
    random: np.random.Generator,
) -> dict[What, Tally]:
    """Return a day on which a share of the sessions is heard under other conditions."""
    names = list(pool)
    shares = random.dirichlet(np.full(len(names), calendar.evenness))
    chosen = [names[at] for at in random.choice(len(names), calendar.sessions, p=shares)]
    return _summed([(other if random.random() < share else pool)[name] for name in chosen])


def _summed(sessions: Sequence[Session]) -> dict[What, Tally]:
    found: dict[What, Tally] = {}
    for session in sessions:
        for cell, tally in session.items():
            what = (cell.signal, cell.locale, cell.engine)
            found[what] = found.get(what, Tally()) + tally
    languages = sorted({what[1] for what in found if what[0] == "utterance_s"})
    known = {"de-DE": 0, "en-US": 1, "es-ES": 2, "fr-FR": 3}
    mix = {known[locale]: found["utterance_s", locale, "whisper"].n for locale in languages}
    found["languages",] = Tally(sum(mix.values()), 0.0, mix)
    return found
