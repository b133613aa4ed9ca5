from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from training.acoustics import SAMPLE_RATE_HZ, Audio, fast_length, rms
from training.acoustics.channels import (
    CHAINS,
    OPUS_BITRATES_BPS,
    channel,
    clip,
    decode_mulaw,
    encode_mulaw,
    equalise,
    mulaw,
    opus,
    telephone,
)
from training.acoustics.noises import HELD_OUT_KINDS, TRAINING_KINDS, babble, mix, noise, speech_level
from training.acoustics.rooms import reverberate, room

KINDS = (*TRAINING_KINDS, *HELD_OUT_KINDS)
EFFECTS: dict[str, Callable[[Audio, Generator], Audio]] = {
    "room": lambda audio, rng: reverberate(audio, room(rng)),
    "telephone": telephone,
    "mulaw": lambda audio, _rng: mulaw(audio),
    "opus": lambda audio, rng: opus(audio, int(rng.choice(OPUS_BITRATES_BPS)), rng),
    "equalise": equalise,
    "clip": lambda audio, _rng: clip(audio, 0.3),
    "channel": channel,
}


def speech(seconds: float = 2.0, seed: int = 0) -> Audio:
    """Return something with the band, pitch and syllables of speech, and silence around it."""
    rng = np.random.default_rng(seed)
    samples = int(seconds * SAMPLE_RATE_HZ)
    time_s = np.arange(samples) / SAMPLE_RATE_HZ
    pitch = np.cumsum(2 * np.pi * (140 + 30 * np.sin(2 * np.pi * 0.7 * time_s))) / SAMPLE_RATE_HZ
    voice = 0.3 * rng.standard_normal(samples)
    for number in range(1, 22):
        voice += np.sin(number * pitch) * 1.2 ** -abs(number - 5)
    syllables = np.maximum(np.sin(2 * np.pi * 4 * time_s + 1), 0.0) * (time_s > 0.2) * (time_s < seconds - 0.2)
    audio: Audio = (voice * syllables).astype(np.float32)
    return audio * np.float32(0.4 / np.max(np.abs(audio)))


def lag_ms(audio: Audio, reference: Audio) -> float:
    """Return how much later ``audio`` is than ``reference``."""
    size = fast_length(2 * reference.size)
    likeness = np.fft.irfft(np.fft.rfft(audio, size) * np.conj(np.fft.rfft(reference, size)), size)
    at = int(np.argmax(likeness))
    return (at - size if at > size // 2 else at) * 1_000 / SAMPLE_RATE_HZ


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [0.3, 2.0])
def test_a_noise_is_as_long_as_asked_and_has_unit_rms(kind: str, seconds: float) -> None:
    for seed in range(4):
        heard = noise(kind, seconds, np.random.default_rng(seed))
        assert heard.shape == (round(seconds * SAMPLE_RATE_HZ),)
        assert heard.dtype == np.float32
        assert rms(heard) == pytest.approx(1.0, abs=1e-3)
        assert np.max(np.abs(heard)) < 20


@pytest.mark.parametrize("kind", KINDS)
def test_a_noise_is_decided_by_its_seed(kind: str) -> None:
    first, again, other = (noise(kind, 0.5, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_kind_is_both_trained_on_and_held_out() -> None:
    assert not set(TRAINING_KINDS) & set(HELD_OUT_KINDS)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown noise 'silence'"):
        noise("silence", 1.0, np.random.default_rng(0))


def test_babble_mixes_voices_to_unit_rms() -> None:
    voices = [speech(1.0, seed) for seed in range(3)]
    first, again = (babble(voices, 2.5, np.random.default_rng(1)) for _ in range(2))
    assert first.shape == (round(2.5 * SAMPLE_RATE_HZ),)
    assert rms(first) == pytest.approx(1.0, abs=1e-3)
    assert np.array_equal(first, again)


def test_babble_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="not silent"):
        babble([np.zeros(800, np.float32)], 1.0, np.random.default_rng(0))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 30.0])
def test_mix_keeps_the_ratio_asked_for(snr_db: float) -> None:
    clean = speech()
    mixed = mix(clean, noise("pink", 1.3, np.random.default_rng(0)), snr_db)
    # Speech and noise may have been turned down together: the part of the mix that is like the speech tells how far.
    gain = float(np.dot(mixed, clean) / np.dot(clean, clean))
    residue = mixed - np.float32(gain) * clean
    assert 20 * np.log10(gain * speech_level(clean) / rms(residue)) == pytest.approx(snr_db, abs=0.6)
    assert np.max(np.abs(mixed)) <= 1.0


def test_pauses_do_not_lower_the_speech_level() -> None:
    clean = speech()
    paused = np.concatenate([clean, np.zeros(5 * SAMPLE_RATE_HZ, np.float32)])
    assert speech_level(paused) == pytest.approx(speech_level(clean), rel=1e-3)


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_keeps_length_time_and_range(name: str) -> None:
    clean = speech()
    for seed in range(12):
        heard = EFFECTS[name](clean, np.random.default_rng(seed))
        assert heard.shape == clean.shape
        assert heard.dtype == np.float32
        assert np.max(np.abs(heard)) <= 1.0
        assert abs(lag_ms(heard, clean)) <= 2.0
        assert rms(heard) == pytest.approx(rms(clean), rel=0.35)


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_decided_by_its_seed(name: str) -> None:
    first, again = (EFFECTS[name](speech(0.7), np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("name", EFFECTS)
def test_silence_stays_silent(name: str) -> None:
    assert rms(EFFECTS[name](np.zeros(4_801, np.float32), np.random.default_rng(0))) < 1e-3


@pytest.mark.parametrize("seed", range(8))
def test_the_direct_path_is_the_largest_of_a_room(seed: int) -> None:
    response = room(np.random.default_rng(seed))
    direct = int(np.argmax(np.abs(response)))
    assert response[direct] == 1.0
    assert not response[:direct].any()
    assert rms(response[-800:]) < 0.01


def test_a_telephone_passes_its_band_only() -> None:
    hiss = (0.1 * noise("white", 2.0, np.random.default_rng(0))).astype(np.float32)
    power = np.abs(np.fft.rfft(telephone(hiss, np.random.default_rng(1)))) ** 2
    hz = np.fft.rfftfreq(hiss.size, 1 / SAMPLE_RATE_HZ)
    passed = power[(hz > 500) & (hz < 3_000)].mean()
    assert power[hz < 100].mean() < 0.05 * passed
    assert power[hz > 4_100].mean() < 0.001 * passed


@pytest.mark.parametrize(
    ("pcm", "byte"),
    [(0, 0xFF), (-1, 0x7F), (32_767, 0x80), (-32_768, 0x00), (1_000, 0xCE), (-1_000, 0x4E)],  # audioop.lin2ulaw's
)
def test_mulaw_bytes(pcm: int, byte: int) -> None:
    assert int(encode_mulaw(np.array([pcm], np.int32))[0]) == byte


def test_every_mulaw_byte_survives_decoding() -> None:
    coded = np.arange(256).astype(np.uint8)
    again = encode_mulaw(decode_mulaw(coded))
    assert np.array_equal(np.delete(again, 0x7F), np.delete(coded, 0x7F))  # 0x7F is minus zero


def test_clipping_flattens_peaks() -> None:
    clipped = clip(speech(), 0.2)
    assert np.mean(np.abs(clipped) > 0.999 * np.max(np.abs(clipped))) > 0.01


def test_channel_draws_every_chain() -> None:
    assert all(chance > 0 for chance in CHAINS.values())
    assert sum(CHAINS.values()) == pytest.approx(1.0)
