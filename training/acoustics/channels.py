"""Channels: telephones, codecs and bad amplifiers between a speaker and the recogniser.

Every filter has zero phase and every codec delay is taken out, so a word keeps its time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from training.acoustics import SAMPLE_RATE_HZ, Audio, at_level, fast_length, rms, within_full_scale

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

OPUS_BITRATES_BPS = (6_000, 8_000, 12_000, 16_000, 24_000)
OPUS_RATE_HZ = 48_000  # every Opus decoder speaks 48 kHz (RFC 7845, section 5.1)
MULAW_BIAS = 132  # G.711's bias of 33, for 16-bit samples
MULAW_LARGEST = 32_635
CHAINS = {
    "clean": 0.2,
    "equalise": 0.2,
    "telephone": 0.12,
    "telephone mulaw": 0.12,
    "opus": 0.12,
    "equalise opus": 0.08,
    "telephone opus": 0.06,
    "clip": 0.05,
    "clip telephone mulaw": 0.05,
}
"""Chains of effects that :func:`channel` draws from, and how often it draws each."""


def telephone(audio: Audio, rng: Generator) -> Audio:
    """Return audio through a telephone band of about 300-3400 Hz, sampled at 8 kHz and back; the level is kept."""
    low_hz, high_hz = rng.uniform(180, 380), rng.uniform(3_150, 3_600)
    low_order, high_order = rng.uniform(4, 10), rng.uniform(24, 60)
    spectrum, frequencies_hz = _spectrum(audio)
    with np.errstate(over="ignore"):
        gain = 1 / np.sqrt(
            (1 + (low_hz / np.maximum(frequencies_hz, 1.0)) ** low_order)
            * (1 + (frequencies_hz / high_hz) ** high_order)
        )
    gain[frequencies_hz >= SAMPLE_RATE_HZ / 4] = 0.0
    return _back(spectrum * gain, audio)


def mulaw(audio: Audio) -> Audio:
    """Return audio through 8-bit G.711 µ-law at 8 kHz."""
    spectrum, frequencies_hz = _spectrum(audio)
    size = (spectrum.size - 1) * 2
    narrow = np.fft.irfft(np.where(frequencies_hz < SAMPLE_RATE_HZ / 4, spectrum, 0.0)[: size // 4 + 1], size // 2) / 2
    pcm = np.clip(np.rint(narrow * 32_768), -32_768, 32_767).astype(np.int32)
    coded = np.fft.rfft(decode_mulaw(encode_mulaw(pcm)) / 32_768)
    coded[-1] = 0.0
    wide = np.fft.irfft(coded * 2, size)[: audio.size]  # bins above 4 kHz are padded with nothing
    return within_full_scale(wide.astype(np.float32))


def encode_mulaw(pcm: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return one G.711 µ-law byte for each 16-bit sample."""
    magnitude = np.minimum(np.abs(pcm), MULAW_LARGEST) + MULAW_BIAS
    exponent = np.frexp(magnitude.astype(np.float32))[1] - 8
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(pcm < 0, 128, 0)
    coded: NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 255).astype(np.uint8)
    return coded


def decode_mulaw(coded: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the 16-bit sample that each G.711 µ-law byte stands for."""
    bits = ~coded.astype(np.int32) & 255
    magnitude = ((((bits & 15) << 3) + MULAW_BIAS) << ((bits >> 4) & 7)) - MULAW_BIAS
    return np.where(bits & 128, -magnitude, magnitude).astype(np.int32)


def opus(audio: Audio, bitrate_bps: int, rng: Generator | None = None) -> Audio:
    """Return audio through a real Opus encoder and decoder, in time with what went in and as long.

    A generator draws the application and frame duration; without one they are ``voip`` and 20 ms.
    """
    application = "voip" if rng is None else str(rng.choice(("voip", "voip", "audio", "lowdelay")))
    frame_ms = 20 if rng is None or application == "lowdelay" else int(rng.choice((20, 20, 40, 60)))
    encoder = av.CodecContext.create("libopus", "w")
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(encoder, AudioCodecContext)
    assert isinstance(decoder, AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = SAMPLE_RATE_HZ, av.AudioFormat("s16"), "mono"
    encoder.bit_rate = bitrate_bps
    encoder.options = {"application": application, "frame_duration": str(frame_ms), "compression_level": "1"}
    encoder.open()
    pcm = np.rint(np.clip(audio, -1.0, 1.0) * 32_767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder.extradata = encoder.extradata  # names the encoder's delay, which the decoder then leaves out
    decoder.sample_rate, decoder.layout = OPUS_RATE_HZ, "mono"
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    decoded = np.concatenate([frame.to_ndarray()[0] for frame in frames])[:: OPUS_RATE_HZ // SAMPLE_RATE_HZ]
    heard = np.zeros_like(audio)
    heard[: decoded.size] = decoded[: audio.size]
    return within_full_scale(heard)


def clip(audio: Audio, level: float) -> Audio:
    """Return audio cut off at ``level`` times its own peak, as an overdriven amplifier does, at the level it had."""
    limit = level * float(np.max(np.abs(audio), initial=0.0))
    return within_full_scale(at_level(np.clip(audio, -limit, limit), rms(audio)))


def equalise(audio: Audio, rng: Generator) -> Audio:
    """Return audio through a random smooth equaliser: a tilt, and bumps over octaves. The level is kept."""
    spectrum, frequencies_hz = _spectrum(audio)
    octaves = np.log2(np.maximum(frequencies_hz, 50.0) / 50.0)
    across = octaves / octaves[-1]
    gain_db = rng.uniform(-9, 9) * across
    for _ in range(int(rng.integers(1, 5))):
        gain_db += rng.uniform(-8, 8) * np.exp(-(((across - rng.uniform(0, 1)) / rng.uniform(0.06, 0.3)) ** 2))
    return _back(spectrum * 10 ** (gain_db / 20), audio)


def channel(audio: Audio, rng: Generator) -> Audio:
    """Return audio through one of :data:`CHAINS`, drawn by chance."""
    chances = np.array(list(CHAINS.values()))
    chain = list(CHAINS)[int(rng.choice(chances.size, p=chances / chances.sum()))]
    for effect in chain.split():
        match effect:
            case "equalise":
                audio = equalise(audio, rng)
            case "telephone":
                audio = telephone(audio, rng)
            case "mulaw":
                audio = mulaw(audio)
            case "opus":
                audio = opus(audio, int(rng.choice(OPUS_BITRATES_BPS)), rng)
            case "clip":
                audio = clip(audio, float(rng.uniform(0.15, 0.7)))
    return audio


def _spectrum(audio: Audio) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """Return the spectrum, with room at the end for a filter to ring, and the frequency of each bin in hertz."""
    size = fast_length(audio.size + SAMPLE_RATE_HZ // 20)
    frequencies_hz = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE_HZ / size)
    return np.fft.rfft(audio, size).astype(np.complex64, copy=False), frequencies_hz


def _back(spectrum: NDArray[np.complex64], audio: Audio) -> Audio:
    """Return the audio of a spectrum, with the length and level of ``audio``."""
    heard = np.fft.irfft(spectrum, (spectrum.size - 1) * 2)[: audio.size].astype(np.float32)
    return within_full_scale(at_level(heard, rms(audio)))
