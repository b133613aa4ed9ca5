import numpy as np
import pytest

from dragoman.audio.pcm import from_float, to_float
from dragoman.audio.resample import StreamingResampler
from tests.audio.corpus import tone
from tests.audio.listening import levels

RATES_HZ = [4_000, 8_000, 11_025, 12_345, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_pieces_of_any_length_give_the_output_of_the_whole(rate_hz: int) -> None:
    random = np.random.default_rng(rate_hz)
    signal = (0.2 * random.standard_normal(rate_hz + 17)).astype(np.float32)
    cuts = np.sort(random.integers(0, len(signal), 50))

    whole = StreamingResampler(rate_hz)
    pieces = StreamingResampler(rate_hz)

    assert b"".join(map(pieces.push, np.split(signal, cuts))) + pieces.flush() == whole.push(signal) + whole.flush()


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("samples", [0, 1, 2, 999, 12_347])
def test_the_length_is_exact_to_one_sample(rate_hz: int, samples: int) -> None:
    resampler = StreamingResampler(rate_hz)
    pcm = resampler.push(np.zeros(samples, dtype=np.float32)) + resampler.flush()
    assert abs(len(pcm) / 2 - samples * 16_000 / rate_hz) <= 1


def test_equal_rates_pass_through_bit_by_bit() -> None:
    pcm = np.arange(-32_768, 32_768, dtype="<i2").tobytes()
    resampler = StreamingResampler(16_000)
    assert resampler.push(to_float(pcm)) + resampler.flush() == pcm


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_a_tone_keeps_its_frequency_and_level(rate_hz: int) -> None:
    resampler = StreamingResampler(rate_hz)
    pcm = resampler.push(tone(1_000, rate_hz=rate_hz, level=0.5)[:, 0]) + resampler.flush()
    assert levels(to_float(pcm), [1_000]) == pytest.approx([0.5], abs=0.002)


def test_what_16_khz_cannot_carry_is_removed_and_not_folded_back() -> None:
    resampler = StreamingResampler(48_000)
    pcm = resampler.push(tone(9_000, rate_hz=48_000)[:, 0]) + resampler.flush()
    assert levels(to_float(pcm), [7_000])[0] < 1e-4


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, 0), (-1.0, -32_768), (1.0, 32_767), (1e30, 32_767), (-1e30, -32_768), (1 / 32_768, 1), (1.6 / 32_768, 2)],
)
def test_floats_become_16_bit_values_within_their_range(value: float, expected: int) -> None:
    assert np.frombuffer(from_float(np.array([value], dtype=np.float32)), "<i2").tolist() == [expected]
