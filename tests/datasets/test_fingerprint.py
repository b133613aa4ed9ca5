"""Copies are known, strangers are not taken for them."""

import asyncio
from itertools import combinations

import numpy as np
import pytest

from dragoman.audio.decode import open_audio
from dragoman.audio.pcm import from_float, to_float
from dragoman.datasets.fingerprint import Print, difference, fingerprint, same_sounds
from dragoman.domain.audio import AudioFrame
from dragoman.resources import samples_folder
from tests.datasets.sounds import Signal, noise, tone

pytestmark = pytest.mark.slow

CALLS = ("en_call.wav", "es_call.wav", "short_answers_de.flac", "babble_es.flac")


def heard(file: str) -> Signal:
    async def decoded() -> bytes:
        async with open_audio(samples_folder() / "audio" / file) as audio:
            return b"".join([frame.pcm async for frame in audio if isinstance(frame, AudioFrame)])

    samples = to_float(asyncio.run(decoded()))
    return samples[np.flatnonzero(np.abs(samples) >= 0.003)[0] :]


@pytest.fixture(scope="module")
def calls() -> dict[str, Signal]:
    return {file: heard(file) for file in CALLS}


def halved(samples: Signal) -> Signal:
    """Return what a telephone leaves of a signal: nothing above 4 kHz."""
    spectrum = np.fft.rfft(samples)
    spectrum[spectrum.size // 2 :] = 0
    return np.fft.irfft(spectrum, samples.size).astype(np.float32)


@pytest.mark.parametrize("file", CALLS)
@pytest.mark.parametrize("way", ["quieter", "noisy", "late", "telephone"])
def test_a_copy_is_known(calls: dict[str, Signal], file: str, way: str) -> None:
    samples = calls[file]
    level = float(np.sqrt(np.mean(samples**2)))
    copies = {
        "quieter": to_float(from_float(samples * np.float32(0.2))),
        "noisy": samples + noise(samples.size / 16_000, level / 10),
        "late": samples[4_000:],
        "telephone": halved(samples),
    }
    prints = {"original": fingerprint(samples), "copy": fingerprint(copies[way])}
    assert difference(*prints.values()) < 0.25
    assert same_sounds(prints) == [("original", "copy")]


def test_strangers_are_far_apart(calls: dict[str, Signal]) -> None:
    prints = {file: fingerprint(samples) for file, samples in calls.items()}
    assert all(difference(one, two) > 0.4 for one, two in combinations(prints.values(), 2))
    assert same_sounds(prints) == []


@pytest.mark.parametrize("samples", [np.zeros(32_000, np.float32), tone(0.1), np.zeros(0, np.float32)])
def test_nothing_is_not_the_same_as_nothing(samples: Signal) -> None:
    print_: Print = fingerprint(samples)
    assert same_sounds({"one": print_, "two": print_}) == []


def test_a_beginning_is_not_the_whole(calls: dict[str, Signal]) -> None:
    samples = calls["en_call.wav"]
    assert same_sounds({"whole": fingerprint(samples), "beginning": fingerprint(samples[: samples.size // 2])}) == []


def test_a_hundred_copies_are_found() -> None:
    samples = noise(3.0, 0.2)
    level = np.linspace(0.2, 1.0, 100, dtype=np.float32)
    prints = {f"{number}": fingerprint(samples * factor) for number, factor in enumerate(level)}
    assert {second for _, second in same_sounds(prints)} == set(prints) - {"0"}
