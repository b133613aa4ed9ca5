import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from dragoman.audio.decode import AudioInfo, DecodeLimits, DecoderJail, RawFormat, open_audio
from dragoman.audio.job import RawEncoding
from dragoman.domain.audio import AudioFrame
from dragoman.domain.errors import AudioNotFoundError, AudioUnreadableError
from tests.audio.corpus import (
    WAVE_ALAW,
    WAVE_FLOAT,
    WAVE_MULAW,
    Signal,
    alaw,
    encode,
    index_first,
    mulaw,
    rf64,
    s16,
    s24,
    tone,
    wave,
    with_cover,
)
from tests.audio.listening import Listened, Unnamed, children, drain, levels, listen, listen_async

MONO_8K, MONO, MONO_48K = (tone(440, rate_hz=rate_hz) for rate_hz in (8_000, 16_000, 48_000))
STEREO_48K = tone([440, 1_500], rate_hz=48_000)

FORMATS: dict[str, tuple[Callable[[], bytes], AudioInfo, float]] = {
    # name: the file, what it is, how far the level of its 440 Hz may be off
    "wav pcm 8": (
        lambda: wave(np.rint(MONO * 127 + 128).astype(np.uint8).tobytes(), bits=8),
        AudioInfo("wav", "pcm_u8", 16_000, 1, 1_000),
        0.01,
    ),
    "wav pcm 16": (lambda: wave(s16(MONO)), AudioInfo("wav", "pcm_s16le", 16_000, 1, 1_000), 0.001),
    "wav pcm 24": (lambda: wave(s24(MONO), bits=24), AudioInfo("wav", "pcm_s24le", 16_000, 1, 1_000), 0.001),
    "wav pcm 32": (
        lambda: wave((MONO.astype(np.float64) * 2**31).astype("<i4").tobytes(), bits=32),
        AudioInfo("wav", "pcm_s32le", 16_000, 1, 1_000),
        0.001,
    ),
    "wav float 32": (
        lambda: wave(MONO.tobytes(), bits=32, encoding=WAVE_FLOAT),
        AudioInfo("wav", "pcm_f32le", 16_000, 1, 1_000),
        0.001,
    ),
    "wav float 64": (
        lambda: wave(MONO.astype(np.float64).tobytes(), bits=64, encoding=WAVE_FLOAT),
        AudioInfo("wav", "pcm_f64le", 16_000, 1, 1_000),
        0.001,
    ),
    "wav µ-law 8 kHz": (
        lambda: wave(mulaw(MONO_8K), rate_hz=8_000, bits=8, encoding=WAVE_MULAW),
        AudioInfo("wav", "pcm_mulaw", 8_000, 1, 1_000),
        0.02,
    ),
    "wav A-law 8 kHz": (
        lambda: wave(alaw(MONO_8K), rate_hz=8_000, bits=8, encoding=WAVE_ALAW),
        AudioInfo("wav", "pcm_alaw", 8_000, 1, 1_000),
        0.02,
    ),
    "wav IMA ADPCM": (
        lambda: encode(MONO, "wav", "adpcm_ima_wav"),
        AudioInfo("wav", "adpcm_ima_wav", 16_000, 1, 1_020),
        0.02,
    ),
    "wav extensible": (
        lambda: wave(s24(MONO), bits=24, extensible=True),
        AudioInfo("wav", "pcm_s24le", 16_000, 1, 1_000),
        0.001,
    ),
    "rf64": (lambda: rf64(s16(MONO)), AudioInfo("wav", "pcm_s16le", 16_000, 1, 1_000), 0.001),
    "w64": (lambda: encode(MONO, "w64", "pcm_s16le"), AudioInfo("w64", "pcm_s16le", 16_000, 1, 1_000), 0.001),
    "wav 96 kHz": (
        lambda: wave(s16(tone(440, rate_hz=96_000)), rate_hz=96_000),
        AudioInfo("wav", "pcm_s16le", 96_000, 1, 1_000),
        0.001,
    ),
    "wav 5.1": (
        lambda: wave(s16(tone([440] * 6, rate_hz=48_000)), rate_hz=48_000, channels=6),
        AudioInfo("wav", "pcm_s16le", 48_000, 6, 1_000),
        0.001,
    ),
    "mp3": (
        lambda: encode(MONO_48K, "mp3", "libmp3lame", rate_hz=48_000),
        AudioInfo("mp3", "mp3", 48_000, 1, 1_000),
        0.03,
    ),
    "flac": (
        lambda: encode(MONO_48K, "flac", "flac", rate_hz=48_000),
        AudioInfo("flac", "flac", 48_000, 1, 1_000),
        0.001,
    ),
    "ogg vorbis": (
        lambda: encode(tone([440, 440], rate_hz=48_000), "ogg", "vorbis", rate_hz=48_000),
        AudioInfo("ogg", "vorbis", 48_000, 2, 1_000),
        0.05,
    ),
    "ogg opus": (
        lambda: encode(MONO_48K, "ogg", "libopus", rate_hz=48_000),
        AudioInfo("ogg", "opus", 48_000, 1, 1_006),
        0.05,
    ),
    "webm opus": (
        lambda: encode(MONO_48K, "webm", "libopus", rate_hz=48_000),
        AudioInfo("matroska", "opus", 48_000, 1, 1_008),
        0.05,
    ),
    "matroska flac": (
        lambda: encode(MONO_48K, "matroska", "flac", rate_hz=48_000),
        AudioInfo("matroska", "flac", 48_000, 1, 1_000),
        0.001,
    ),
    "m4a aac": (
        lambda: encode(MONO_48K, "ipod", "aac", rate_hz=48_000),
        AudioInfo("mp4", "aac", 48_000, 1, 1_000),
        0.02,
    ),
    "adts aac": (
        lambda: encode(MONO_48K, "adts", "aac", rate_hz=48_000),
        AudioInfo("aac", "aac", 48_000, 1, None),
        0.02,
    ),
    "amr-nb": (
        lambda: encode(MONO_8K, "amr", "libopencore_amrnb", rate_hz=8_000, bit_rate=12_200),
        AudioInfo("amr", "amr_nb", 8_000, 1, None),
        0.15,
    ),
    "aiff": (lambda: encode(MONO, "aiff", "pcm_s16be"), AudioInfo("aiff", "pcm_s16be", 16_000, 1, 1_000), 0.001),
    "au µ-law": (
        lambda: encode(MONO_8K, "au", "pcm_mulaw", rate_hz=8_000),
        AudioInfo("au", "pcm_mulaw", 8_000, 1, 1_000),
        0.02,
    ),
    "caf": (lambda: encode(MONO, "caf", "pcm_s16le"), AudioInfo("caf", "pcm_s16le", 16_000, 1, 1_000), 0.001),
    "mp4 with video": (
        lambda: encode(MONO_48K, "mp4", "aac", rate_hz=48_000, with_video=True),
        AudioInfo("mp4", "aac", 48_000, 1, 1_000),
        0.02,
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_tone_survives_every_format(name: str) -> None:
    make, info, tolerance = FORMATS[name]
    heard = listen(make())
    assert heard.info == info
    assert heard.seconds == pytest.approx(1.0, abs=0.05)
    assert levels(heard.samples, [440]) == pytest.approx([0.5], abs=tolerance)
    assert heard.notices == ()
    assert heard.error is None


@pytest.mark.parametrize(
    ("encoding", "make", "tolerance"),
    [("mulaw", mulaw, 0.02), ("alaw", alaw, 0.02), ("s16le", s16, 0.001), ("f32le", np.ndarray.tobytes, 0.001)],
)
def test_headerless_audio_is_decoded_as_it_is_told(
    encoding: RawEncoding, make: Callable[[Signal], bytes], tolerance: float
) -> None:
    stereo = tone([440, 1_000], rate_hz=8_000)
    heard = listen(make(stereo), raw=RawFormat(encoding, 8_000, 2), channel=1)
    assert heard.seconds == pytest.approx(1.0)
    assert levels(heard.samples, [440, 1_000]) == pytest.approx([0, 0.5], abs=tolerance)
    assert (heard.info.sample_rate_hz, heard.info.channels, heard.info.duration_ms) == (8_000, 2, None)


@pytest.mark.parametrize("container", ["wav", "flac", "ogg"])
@pytest.mark.parametrize(
    ("channel", "expected"), [(0, [0.5, 0.0]), (1, [0.0, 0.5]), (None, [0.25, 0.25])], ids=["left", "right", "mix"]
)
def test_a_channel_can_be_chosen_and_all_can_be_mixed(
    container: str, channel: int | None, expected: list[float]
) -> None:
    codec = {"wav": "pcm_s16le", "flac": "flac", "ogg": "libopus"}[container]
    heard = listen(encode(STEREO_48K, container, codec, rate_hz=48_000), channel=channel)
    assert levels(heard.samples, [440, 1_500]) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("container", "codec"), [("ipod", "aac"), ("ogg", "libopus"), ("flac", "flac"), ("wav", "pcm_s16le")]
)
def test_eight_channels_stay_apart(container: str, codec: str) -> None:
    frequencies_hz = [300.0 + 200 * n for n in range(8)]
    data = encode(tone(frequencies_hz, rate_hz=48_000), container, codec, rate_hz=48_000)
    expected = [0.0] * 7 + [0.5]
    assert levels(listen(data, channel=7).samples, frequencies_hz) == pytest.approx(expected, abs=0.03)
    assert levels(listen(data).samples, frequencies_hz[:3]) == pytest.approx([0.5 / 8] * 3, abs=0.01)


@pytest.mark.parametrize("channel", [2, -1])
def test_a_channel_that_is_not_there_is_refused_by_number(channel: int) -> None:
    with pytest.raises(AudioUnreadableError, match=f"Channel {channel} is not there: this audio has 2"):
        listen(wave(s16(STEREO_48K), rate_hz=48_000, channels=2), channel=channel)


def test_16_khz_pcm_passes_bit_by_bit() -> None:
    assert listen(wave(s16(MONO))).pcm == s16(MONO)


def test_a_cover_picture_is_not_the_audio() -> None:
    mp3 = encode(MONO_48K, "mp3", "libmp3lame", rate_hz=48_000)
    assert listen(with_cover(mp3)) == listen(mp3)


def test_a_change_of_rate_in_the_middle_keeps_the_pitch() -> None:
    slow, fast = (encode(tone(440, rate_hz=rate_hz), "adts", "aac", rate_hz=rate_hz) for rate_hz in (24_000, 48_000))
    heard = listen(slow + fast)
    first, second = np.array_split(heard.samples, 2)
    assert heard.seconds == pytest.approx(2.0, abs=0.2)
    assert levels(first, [440]) == pytest.approx([0.5], abs=0.03)
    assert levels(second, [440]) == pytest.approx([0.5], abs=0.03)


@pytest.mark.parametrize("kind", ["path", "bytes", "file", "memory", "pipe", "socket"])
def test_every_kind_of_source_gives_the_same_audio(kind: str, tmp_path: Path) -> None:
    data = wave(s16(MONO))
    path = tmp_path / "tone.wav"
    path.write_bytes(data)
    match kind:
        case "path":
            heard = listen(path)
        case "bytes":
            heard = listen(data)
        case "file":
            with path.open("rb") as file:
                heard = listen(file)
        case "memory":
            heard = listen(Unnamed(data))
        case "pipe":
            heard = _listen_to_pipe(data)
        case _:
            ours, theirs = socket.socketpair()
            with theirs, theirs.makefile("rb") as stream:
                feeder = threading.Thread(target=_send_and_close, args=(ours, data))
                feeder.start()
                heard = listen(stream)
                feeder.join()
    assert heard.pcm == s16(MONO)
    assert heard.notices == ()


STREAMED: dict[str, Callable[[], bytes]] = {
    "wav": lambda: wave(s16(MONO), data_size=0xFFFF_FFFF),
    "mp3": lambda: encode(MONO_48K, "mp3", "libmp3lame", rate_hz=48_000),
    "flac": lambda: encode(MONO_48K, "flac", "flac", rate_hz=48_000, seekable=False),
    "ogg": lambda: encode(MONO_48K, "ogg", "libopus", rate_hz=48_000),
    "webm": lambda: encode(MONO_48K, "webm", "libopus", rate_hz=48_000, seekable=False),
    "adts": lambda: encode(MONO_48K, "adts", "aac", rate_hz=48_000),
    "amr": lambda: encode(MONO_8K, "amr", "libopencore_amrnb", rate_hz=8_000, bit_rate=12_200),
    "mp4, index first": lambda: index_first(encode(MONO_48K, "ipod", "aac", rate_hz=48_000)),
}


@pytest.mark.parametrize("name", STREAMED)
def test_a_format_that_streams_can_come_through_a_pipe(name: str) -> None:
    heard = _listen_to_pipe(STREAMED[name]())
    assert heard.seconds == pytest.approx(1.0, abs=0.05)
    assert levels(heard.samples, [440]) == pytest.approx([0.5], abs=0.15)
    assert heard.notices == ()


def test_an_mp4_with_its_index_at_the_end_must_be_a_file() -> None:
    data = encode(tone(440, rate_hz=48_000, seconds=10), "ipod", "aac", rate_hz=48_000)
    assert listen(data).seconds == pytest.approx(10, abs=0.05)
    with pytest.raises(AudioUnreadableError, match="save it to a file first"):
        _listen_to_pipe(data)


def test_live_audio_arrives_while_it_flows() -> None:
    async def scenario() -> tuple[int, Listened]:
        read_fd, write_fd = os.pipe()
        with os.fdopen(read_fd, "rb") as source, os.fdopen(write_fd, "wb", buffering=0) as microphone:
            microphone.write(s16(MONO)[:16_000])
            async with open_audio(source, raw=RawFormat("s16le", 16_000)) as audio:
                first = await anext(audio)
                assert isinstance(first, AudioFrame)
                microphone.write(s16(MONO)[16_000:])
                microphone.close()
                return first.samples, await drain(audio)

    first_samples, rest = asyncio.run(scenario())
    assert 0 < first_samples <= 8_000
    assert first_samples + len(rest.pcm) // 2 == 16_000


def test_a_named_pipe_may_be_opened_before_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    async def scenario() -> Listened:
        listening = asyncio.create_task(listen_async(path))
        writing = asyncio.to_thread(path.write_bytes, wave(s16(MONO)))
        _, heard = await asyncio.gather(writing, listening)
        return heard

    assert asyncio.run(scenario()).pcm == s16(MONO)


def test_a_source_that_stays_silent_blocks_nobody_and_can_be_left(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    async def scenario() -> None:
        listening = asyncio.create_task(listen_async(path))
        heard = await listen_async(wave(s16(MONO)))  # the loop and the jail work on
        assert heard.seconds == 1.0
        assert not listening.done()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening

    asyncio.run(scenario())


def test_leaving_early_ends_the_decoder() -> None:
    jail = DecoderJail()

    async def scenario() -> None:
        async with open_audio(wave(s16(tone(seconds=120))), jail=jail) as audio:
            await anext(audio)
            (child,) = children(jail)
        while children(jail):  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(0)
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)

    asyncio.run(asyncio.wait_for(scenario(), 10))
    jail.close()


def test_cancelling_between_two_frames_loses_none() -> None:
    async def scenario() -> bytes:
        pcm = b""
        async with open_audio(wave(s16(tone(seconds=20)))) as audio:
            while True:
                try:
                    async with asyncio.timeout(0):
                        item = await anext(audio)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return pcm
                assert isinstance(item, AudioFrame)
                pcm += item.pcm

    assert asyncio.run(scenario()) == s16(tone(seconds=20))


def test_one_jail_serves_many_at_once_and_many_event_loops() -> None:
    async def many() -> list[Listened]:
        return await asyncio.gather(*(listen_async(wave(s16(tone(200 + 100 * n)))) for n in range(8)))

    for _ in range(2):
        for n, heard in enumerate(asyncio.run(many())):
            assert levels(heard.samples, [200 + 100 * n]) == pytest.approx([0.5], abs=0.01)


def test_a_jail_that_was_killed_is_started_again() -> None:
    jail = DecoderJail()
    listen(wave(s16(MONO)), jail=jail)
    killed = jail.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    os.waitid(os.P_PID, killed, os.WEXITED | os.WNOWAIT)
    assert listen(wave(s16(MONO)), jail=jail).seconds == 1.0
    assert jail.pid != killed
    jail.close()


def test_a_closed_jail_leaves_no_process() -> None:
    jail = DecoderJail()
    listen(wave(s16(MONO)), jail=jail)
    warden = jail.pid
    jail.close()
    assert warden is not None
    with pytest.raises(ProcessLookupError):
        os.kill(warden, 0)


@pytest.mark.parametrize("redirection", ["<&- >&-", "<&- >&- 2>&-", "</dev/null >out 2>err"])
def test_it_works_without_standard_streams(redirection: str, tmp_path: Path) -> None:
    (tmp_path / "tone.wav").write_bytes(wave(s16(MONO)))
    (tmp_path / "main.py").write_text(
        "import asyncio, pathlib\n"
        "from dragoman.audio.decode import open_audio\n"
        "async def main():\n"
        "    async with open_audio(pathlib.Path('tone.wav')) as audio:\n"
        "        return sum([frame.samples async for frame in audio])\n"
        "pathlib.Path('samples').write_text(str(asyncio.run(main())))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -W error main.py {redirection}'],
        cwd=tmp_path,
        env=environment,
        check=True,
        timeout=60,
    )
    assert (tmp_path / "samples").read_text() == "16000"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.wav", "There is no file"),
        (".", "is a directory"),
        ("x" * 300, "cannot be opened"),
        ("nul\0.wav", "cannot be opened"),
    ],
)
def test_an_input_that_is_no_file_is_named(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(AudioNotFoundError, match=message):
        listen(tmp_path / name)


def test_decoding_stops_at_the_limit_and_says_so() -> None:
    heard = listen(wave(s16(tone(seconds=3))), limits=DecodeLimits(max_audio_s=1.25))
    assert heard.pcm == s16(tone(seconds=3))[:40_000]
    assert heard.notices == ("audio_too_long",)
    assert heard.error is None


def test_audio_of_exactly_the_limit_is_not_too_long() -> None:
    assert listen(wave(s16(MONO)), limits=DecodeLimits(max_audio_s=1)).notices == ()


def _listen_to_pipe(data: bytes) -> Listened:
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd, "rb") as source:
        feeder = threading.Thread(target=_write_and_close, args=(write_fd, data))
        feeder.start()
        try:
            return listen(source)
        finally:
            source.close()
            feeder.join()


def _write_and_close(fd: int, data: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(fd, "wb", buffering=0) as pipe:
        pipe.write(data)


def _send_and_close(end: socket.socket, data: bytes) -> None:
    with end:
        end.sendall(data)
