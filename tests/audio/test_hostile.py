import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dragoman.audio.decode import DecodeLimits, DecoderJail, RawFormat, open_audio
from dragoman.domain.audio import AudioFrame
from dragoman.domain.errors import (
    AudioEmptyError,
    AudioLimitError,
    AudioUnreadableError,
    DragomanError,
    EngineFailedError,
)
from tests.audio.corpus import WAVE_FLOAT, chunk, encode, flac_bomb, index_first, s16, tone, wave
from tests.audio.listening import Listened, Playlist, Unnamed, children, drain, levels, listen, listen_async

TONE = tone(440, seconds=2)
PCM = s16(TONE)
STEREO_48K = tone([440, 880], rate_hz=48_000, seconds=2)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", AudioEmptyError),
        (wave(b""), AudioEmptyError),
        (wave(b"", data_size=1_000), AudioUnreadableError),
        (b"R", AudioUnreadableError),
        (wave(PCM)[:40], AudioUnreadableError),
        (bytes(100_000), AudioUnreadableError),
        (b"\xff" * 100_000, AudioUnreadableError),
        (np.random.default_rng(1).bytes(100_000), AudioUnreadableError),
        ("Ein Text über nichts.\n".encode() * 500, AudioUnreadableError),
        (b"<!doctype html><html><body>404</body></html>" * 50, AudioUnreadableError),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), AudioUnreadableError),
        (b"PK\x03\x04" + bytes(500), AudioUnreadableError),
        (Path(sys.executable).read_bytes()[:300_000], AudioUnreadableError),
        (wave(PCM, rate_hz=0), AudioUnreadableError),
        (wave(PCM, rate_hz=1), AudioLimitError),
        (wave(PCM, rate_hz=3_999), AudioLimitError),
        (wave(PCM, rate_hz=192_001), AudioLimitError),
        (wave(PCM, rate_hz=100_000_000), AudioLimitError),
        (wave(PCM, rate_hz=2**31 - 1), AudioLimitError),
        (wave(PCM, rate_hz=2**32 - 1), AudioUnreadableError),
        (wave(PCM, channels=0), AudioUnreadableError),
        (wave(PCM, channels=9), AudioLimitError),
        (wave(PCM, channels=255), AudioLimitError),
        (wave(PCM, channels=65_535), AudioUnreadableError),
        (wave(PCM, bits=0), AudioUnreadableError),
        (wave(PCM, encoding=0x1234), AudioUnreadableError),
        (encode(STEREO_48K, "ipod", "aac", rate_hz=48_000)[:-300], AudioUnreadableError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{len(value)} bytes",
)
def test_what_is_no_audio_is_refused_with_a_cure(data: bytes, error: type[DragomanError]) -> None:
    with pytest.raises(error, match=r"[;:,] |empty|without"):
        listen(data)


@pytest.mark.parametrize("raw", [RawFormat("s16le", 1), RawFormat("s16le", 8_000, 9), RawFormat("alaw", 10**9)])
def test_a_raw_format_beyond_the_limits_is_refused(raw: RawFormat) -> None:
    with pytest.raises(AudioLimitError, match="outside"):
        listen(PCM, raw=raw)


@pytest.mark.parametrize(
    ("data", "seconds", "notices"),
    [
        (wave(PCM, data_size=0), 2.0, ()),  # streamed: the size was never filled in
        (wave(PCM, data_size=0xFFFF_FFFF), 2.0, ()),
        (wave(PCM, data_size=0x7FFF_F000), 2.0, ()),
        (wave(PCM, data_size=len(PCM) * 10), 2.0, ("audio_truncated",)),
        (wave(PCM, data_size=len(PCM) // 8), 0.25, ("audio_trailing",)),
        (wave(PCM, after_data=chunk(b"LIST", b"INFOISFT")), 2.0, ()),  # a chunk of text is no lost audio
        (wave(PCM, before_data=chunk(b"bext", bytes(602))), 2.0, ()),
        (wave(PCM)[: len(PCM) // 2], 1.0, ("audio_truncated",)),
        (wave(PCM)[:-1], 2.0, ()),
    ],
    ids=["size 0", "size -1", "size 2 GB", "size x 10", "size / 8", "LIST", "bext", "half", "odd"],
)
def test_a_lying_header_loses_nothing_silently(data: bytes, seconds: float, notices: tuple[str, ...]) -> None:
    heard = listen(data)
    assert heard.seconds == pytest.approx(seconds, abs=0.01)
    assert heard.notices == notices


HALVES: dict[str, Callable[[], bytes]] = {
    "w64": lambda: encode(TONE, "w64", "pcm_s16le"),
    "caf": lambda: encode(TONE, "caf", "pcm_s16le"),
    "aiff": lambda: encode(TONE, "aiff", "pcm_s16be"),
    "au": lambda: encode(TONE, "au", "pcm_mulaw"),
    "mp3 with Xing header": lambda: encode(STEREO_48K, "mp3", "libmp3lame", rate_hz=48_000),
    "flac": lambda: encode(STEREO_48K, "flac", "flac", rate_hz=48_000),
    "webm": lambda: encode(STEREO_48K, "webm", "libopus", rate_hz=48_000),
    "m4a": lambda: index_first(encode(STEREO_48K, "ipod", "aac", rate_hz=48_000)),
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_file_is_decoded_and_called_truncated(name: str) -> None:
    data = HALVES[name]()
    assert listen(data).notices == ()
    heard = listen(data[: len(data) // 2])
    assert 0.5 <= heard.seconds <= 1.2
    assert levels(heard.samples, [440]) == pytest.approx(
        [0.5 if name in ("w64", "caf", "aiff", "au") else 0.25], abs=0.03
    )
    assert heard.notices == ("audio_truncated",)


def test_an_mp3_that_counts_no_frames_promises_no_length() -> None:
    data = encode(STEREO_48K, "mp3", "libmp3lame", rate_hz=48_000, options={"write_xing": "0"})
    heard = listen(data[: len(data) // 2])
    assert heard.info.duration_ms is None
    assert heard.notices == ()


@pytest.mark.parametrize("container", ["adts", "matroska"])
def test_damage_in_the_middle_costs_only_the_damaged_part(container: str) -> None:
    codec = {"adts": "aac", "matroska": "flac"}[container]
    data = bytearray(encode(STEREO_48K, container, codec, rate_hz=48_000))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    heard = listen(bytes(data))
    assert heard.seconds > 1.7
    assert "audio_corrupt" in heard.notices
    assert heard.error is None


@pytest.mark.parametrize(
    ("value", "notice", "level"),
    [(np.nan, "audio_sanitised", 0.0), (np.inf, "audio_sanitised", 0.0), (1e30, "audio_clipped", 1.0)],
)
@pytest.mark.parametrize("bits", [32, 64])
def test_impossible_floats_are_repaired_and_reported(value: float, notice: str, level: float, bits: int) -> None:
    signal = TONE.astype(f"<f{bits // 8}")
    signal[100:200] = value
    heard = listen(wave(signal.tobytes(), bits=bits, encoding=WAVE_FLOAT))
    assert heard.notices == (notice,)
    assert heard.samples[100:200].tolist() == pytest.approx([level] * 100, abs=1e-4)
    assert levels(heard.samples, [440]) == pytest.approx([0.5], abs=0.001)


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A listener on this machine that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n",
    "m3u8 of a file": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{file}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile {file}\n",
    "ffconcat by address": "ffconcat version 1.0\nfile {url}\n",
    "ffconcat by name": "ffconcat version 1.0\nfile canary.wav\n",
    "concat protocol": "concat:{file}|{file}",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="">'
    '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "smil": '<smil><body><audio src="{url}"/></body></smil>',
    "url": "{url}",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_opens_neither_file_nor_host(
    name: str, canary: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "canary.wav"
    secret.write_bytes(wave(PCM))
    port = canary.getsockname()[1]
    text = PLAYLISTS[name].format(url=f"http://127.0.0.1:{port}/a.ts", file=secret, port=port).encode()
    path = tmp_path / "upload.m3u8"
    path.write_bytes(text)
    monkeypatch.chdir(tmp_path)
    with path.open("rb") as file:
        for source in (text, path, Playlist(text), Unnamed(text), file):
            with pytest.raises(AudioUnreadableError):
                listen(source)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_decoder_can_open_no_file_and_no_socket(tmp_path: Path) -> None:
    jail = DecoderJail()
    read_fd, write_fd = os.pipe()

    async def scenario() -> dict[str, tuple[str, str]]:
        with os.fdopen(read_fd, "rb") as source, os.fdopen(write_fd, "wb", buffering=0) as microphone:
            microphone.write(PCM)
            async with open_audio(source, raw=RawFormat("s16le", 16_000), jail=jail) as audio:
                await anext(audio)
                process = Path("/proc", str(*children(jail)))
                assert sorted(path.name for path in (process / "fd").iterdir()) == ["0", "1", "2"]
                rows = [line.split("  ") for line in (process / "limits").read_text().splitlines()]
                return {row[0]: tuple(word.strip() for word in row[1:] if word)[:2] for row in rows}  # type: ignore[misc]  # two words each

    limits = asyncio.run(scenario())
    jail.close()
    assert limits["Max open files"] == ("3", "3")
    assert limits["Max file size"] == ("0", "0")
    assert limits["Max core file size"] == ("0", "0")
    assert limits["Max cpu time"] == ("120", "121")
    assert limits["Max address space"] == ("1200000000", "1200000000")


def test_a_bomb_ends_at_the_limit_of_audio() -> None:
    bomb = flac_bomb(channels=2, rate_hz=8_000, seconds=1_200)
    assert len(bomb) < 300_000
    heard = listen(bomb, limits=DecodeLimits(max_audio_s=30))
    assert heard.seconds == 30
    assert heard.notices == ("audio_too_long",)


@pytest.mark.slow
def test_a_bomb_ends_at_the_limit_of_processor_time() -> None:
    heard = listen(
        Path("/dev/zero"), raw=RawFormat("s16le", 192_000, 8), limits=DecodeLimits(max_audio_s=10**6, cpu_s=1)
    )
    assert heard.seconds > 1
    assert isinstance(heard.error, AudioLimitError)
    assert "more than 1 s of processor time" in str(heard.error)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's address space")
def test_a_bomb_ends_at_the_limit_of_memory() -> None:
    # Blocks of 6 MB and more: small ones may fit into what the process has already.
    with pytest.raises(AudioLimitError, match="more memory than we grant"):
        listen(
            Path("/dev/zero"),
            raw=RawFormat("s16le", 192_000, 8),
            limits=DecodeLimits(max_audio_s=5, memory_bytes=50_000_000),
        )
    assert listen(wave(PCM)).seconds == 2


@pytest.mark.parametrize(
    ("sent", "error"), [(signal.SIGKILL, EngineFailedError), (signal.SIGSEGV, AudioUnreadableError)]
)
def test_a_decoder_that_dies_midway_gives_an_error_after_its_frames(
    sent: signal.Signals, error: type[DragomanError]
) -> None:
    jail = DecoderJail()
    read_fd, write_fd = os.pipe()

    async def scenario() -> tuple[bytes, Listened]:
        with os.fdopen(read_fd, "rb") as source, os.fdopen(write_fd, "wb", buffering=0) as microphone:
            microphone.write(PCM[:32_000])
            async with open_audio(source, raw=RawFormat("s16le", 16_000), jail=jail) as audio:
                first = await anext(audio)
                assert isinstance(first, AudioFrame)
                (child,) = children(jail)
                os.kill(child, sent)
                return first.pcm, await drain(audio)

    first, rest = asyncio.run(scenario())
    assert isinstance(rest.error, error)
    assert PCM.startswith(first + rest.pcm)
    assert listen(wave(PCM), jail=jail).seconds == 2
    jail.close()


@pytest.mark.parametrize("name", ["wav", "mp3", "flac", "ogg", "webm", "m4a", "amr"])
def test_a_file_cut_anywhere_ends_well_or_with_an_error(name: str) -> None:
    data = _small_file(name)

    async def scenario() -> None:
        for cut in [*range(1, 100, 9), *range(100, len(data), len(data) // 15)]:
            await _survives(data[:cut])

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wav", "mp3", "flac", "ogg", "webm", "m4a"])
def test_changed_bytes_end_well_or_with_an_error(name: str) -> None:
    random = np.random.default_rng(sum(name.encode()))
    original = _small_file(name)

    async def scenario() -> None:
        for _ in range(50):
            data = bytearray(original)
            reach = len(data) if random.random() < 0.5 else min(200, len(data))  # half of them in the header
            for position in random.integers(0, reach, random.integers(1, 20)):
                data[position] = random.integers(0, 256)
            await _survives(bytes(data))

    asyncio.run(scenario())


def _small_file(name: str) -> bytes:
    second = tone([440, 880], rate_hz=48_000, seconds=0.5)
    match name:
        case "wav":
            return wave(s16(second), rate_hz=48_000, channels=2)
        case "m4a":
            return index_first(encode(second, "ipod", "aac", rate_hz=48_000))
        case "amr":
            return encode(tone(rate_hz=8_000), "amr", "libopencore_amrnb", rate_hz=8_000, bit_rate=12_200)
        case _:
            codec = {"mp3": "libmp3lame", "flac": "flac", "ogg": "libopus", "webm": "libopus"}[name]
            return encode(second, name, codec, rate_hz=48_000)


async def _survives(data: bytes) -> None:
    failure: DragomanError | None
    try:
        failure = (await listen_async(data, limits=DecodeLimits(max_audio_s=60, cpu_s=5))).error
    except (AudioUnreadableError, AudioEmptyError, AudioLimitError) as error:
        failure = error
    assert "broke down" not in str(failure)  # that would be a crash
    assert not isinstance(failure, EngineFailedError)
