"""espeak-ng through its C library: a sentence in, samples and the times of its words and phonemes out.

One process speaks with one voice at a time; start more processes to use more cores. The library goes on where its last
sentence left its oscillators: the same sentences sound the same in a new process with the same seed, and only then.
Source: espeak-ng 1.52, ``speak_lib.h``.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import espeakng_loader
import numpy as np
import soxr
from numpy.typing import NDArray

from training.speech.voices import Voice
from training.text.sentences import Word

SAMPLE_RATE_HZ: Final = 16_000

_SYNCHRONOUS: Final = 2
_PHONEME_EVENTS: Final = 1
_UTF8: Final = 1
_POSITION_IS_CHARACTER: Final = 1
_WORD, _PHONEME = 1, 7
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class Style:
    """How a voice speaks: ``rate`` in words per minute (80–450), ``pitch`` and ``pitch_range`` from 0 to 99."""

    rate: int = 160
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True, slots=True)
class Spoken:
    """One spoken sentence.

    ``samples``: 16 kHz mono float32 in [-1, 1]. ``word_starts_s`` has one time per word. ``phonemes`` are espeak's
    names with the time at which each begins; all times are seconds from the first sample.
    """

    samples: NDArray[np.float32]
    word_starts_s: tuple[float, ...]
    phonemes: tuple[tuple[str, float], ...]


class Espeak:
    """The synthesiser. The library keeps global state, so there is one per process: ``espeak()``.

    ``data``: the folder of its data, where it is not the one that it came with.
    """

    def __init__(self, data: Path | None = None) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        folder = str(data or espeakng_loader.get_data_path()).encode()
        self._rate_hz: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, folder, _PHONEME_EVENTS)
        if self._rate_hz <= 0:
            raise RuntimeError("espeak-ng cannot be started: its data files are missing; install espeakng-loader again")
        self._chunks: list[NDArray[np.int16]] = []
        self._words: list[tuple[int, int]] = []
        self._phonemes: list[tuple[str, int]] = []
        self._callback = _Callback(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)
        self.seed(1)

    def seed(self, number: int) -> None:
        """Make breath and flutter depend on a number; espeak-ng takes the time of day.

        Sounds go on from where the last sentence left them: for the same samples, say the same in a new process.
        """
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(number))
        ctypes.CDLL(None).srand(ctypes.c_uint(number))

    def speak(self, words: Sequence[Word], voice: Voice, style: Style | None = None) -> Spoken:
        """Speak a sentence.

        Raises:
            ValueError: if espeak-ng has no such voice.
        """
        style = style or Style()
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice '{voice.name}'")
        for parameter, value in ((_RATE, style.rate), (_PITCH, style.pitch), (_RANGE, style.pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks, self._words, self._phonemes = [], [], []
        text = " ".join(word.spoken for word in words)
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, _POSITION_IS_CHARACTER, 0, _UTF8, None, None)
        pcm = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        samples = soxr.resample(pcm.astype(np.float32) / 32_768, self._rate_hz, SAMPLE_RATE_HZ, quality="MQ")
        return Spoken(
            samples.astype(np.float32),
            self._starts(words),
            tuple((name, sample / self._rate_hz) for name, sample in self._phonemes),
        )

    def _hear(self, pcm: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
        if pcm and count > 0:
            self._chunks.append(np.ctypeslib.as_array(pcm, (count,)).copy())
        at = 0
        while (event := events[at]).type != 0:
            if event.type == _WORD:
                self._words.append((event.text_position - 1, event.sample))
            elif event.type == _PHONEME:
                self._phonemes.append((event.id.string.decode(errors="replace"), event.sample))
            at += 1
        return 0

    def _starts(self, words: Sequence[Word]) -> tuple[float, ...]:
        """Return when each word begins: espeak reports positions in the text, and speaks some words as one."""
        starts: list[float] = []
        offset = 0
        for word in words:
            end = offset + len(word.spoken)
            sample = next((sample for at, sample in self._words if offset <= at < end), None)
            starts.append(np.nan if sample is None else sample / self._rate_hz)
            offset = end + 1
        times = np.array(starts)
        known = np.flatnonzero(~np.isnan(times))
        if len(known) < len(times) and len(known):
            # A word spoken together with the one before starts somewhere between its neighbours.
            duration = sum(map(len, self._chunks)) / self._rate_hz
            places = np.append(known, len(times))
            times = np.interp(np.arange(len(times)), places, np.append(times[known], duration))
        return tuple(float(time) for time in times)


@cache
def espeak() -> Espeak:
    """Return this process's synthesiser."""
    return Espeak()
