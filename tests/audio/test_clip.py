import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dragoman.audio.clip import Clip, cut
from dragoman.domain.errors import AudioEmptyError, AudioNotFoundError, AudioUnreadableError
from tests.audio.corpus import s16, tone, wave
from tests.audio.listening import levels, listen

pytestmark = pytest.mark.slow

LOW_HZ, HIGH_HZ = 440.0, 1_500.0


@dataclass(frozen=True)
class Recording:
    """Two seconds of a low tone, then 18 of a high one, and what a cut out of it is."""

    path: Path

    def cut(self, start_ms: int, end_ms: int) -> Clip:
        return asyncio.run(cut(self.path, None, start_ms, end_ms))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    signal = np.concatenate([tone(LOW_HZ, seconds=2), tone(HIGH_HZ, seconds=18)])
    path = tmp_path / "tones.wav"
    path.write_bytes(wave(s16(signal)))
    return Recording(path)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "expected_ms", "is_cut"),
    [
        (1_000, 1_500, (700, 1_800), False),  # a little around it
        (100, 500, (0, 800), False),  # nothing is before the start
        (19_000, 20_000, (18_700, 20_000), False),  # nothing is after the end
        (1_000, 19_000, (700, 15_700), True),  # no more than 15 s
    ],
)
def test_what_is_cut(
    recording: Recording, start_ms: int, end_ms: int, expected_ms: tuple[int, int], is_cut: bool
) -> None:
    clip = recording.cut(start_ms, end_ms)
    assert (clip.start_ms, clip.end_ms, clip.is_cut) == (*expected_ms, is_cut)
    heard = listen(clip.mp3)
    assert heard.info.codec == "mp3"
    assert heard.seconds == pytest.approx((clip.end_ms - clip.start_ms) / 1_000, abs=0.1)


def test_it_is_the_right_stretch(recording: Recording) -> None:
    low, high = levels(listen(recording.cut(2_500, 3_500).mp3).samples, [LOW_HZ, HIGH_HZ])
    assert low == pytest.approx(0, abs=0.02)
    assert high == pytest.approx(0.5, abs=0.05)


def test_it_is_small(recording: Recording) -> None:
    assert len(recording.cut(0, 14_000).mp3) < 90_000


def test_a_channel_is_cut_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    path.write_bytes(wave(s16(tone([LOW_HZ, HIGH_HZ], seconds=2)), channels=2))
    found = [levels(listen(asyncio.run(cut(path, channel, 0, 2_000)).mp3).samples, [HIGH_HZ]) for channel in (0, 1)]
    assert found[0] == pytest.approx([0], abs=0.02)
    assert found[1] == pytest.approx([0.5], abs=0.05)


def test_it_is_not_decoded_further_than_needed(tmp_path: Path) -> None:
    pipe = tmp_path / "endless.wav"
    os.mkfifo(pipe)
    begin = wave(s16(tone(seconds=3_600)))[:80_000]  # whoever wants more than these 2.5 s waits for ever

    async def cut_from_pipe() -> Clip:
        writing = asyncio.create_task(asyncio.to_thread(writer.write, begin))
        clip = await asyncio.wait_for(cut(pipe, None, 0, 500), timeout=30)
        await writing
        return clip

    with open(os.open(pipe, os.O_RDWR), "wb", buffering=0) as writer:  # noqa: PTH123 - of a descriptor
        assert asyncio.run(cut_from_pipe()).end_ms == 800


def test_what_is_not_there_cannot_be_cut(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(AudioEmptyError):
        recording.cut(30_000, 31_000)
    with pytest.raises(AudioNotFoundError):
        asyncio.run(cut(tmp_path / "missing.wav", None, 0, 1_000))
    noise = tmp_path / "text.wav"
    noise.write_text("no audio at all")
    with pytest.raises(AudioUnreadableError):
        asyncio.run(cut(noise, None, 0, 1_000))
