"""A source of audio on its way to a server, and what the server says on its way to the terminal."""

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final

import click

from dragoman.audio.decode import open_audio
from dragoman.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from dragoman.client import Stream
from dragoman.domain.audio import SAMPLE_RATE_HZ, AudioFrame
from dragoman.domain.errors import DependencyMissingError
from dragoman.domain.events import (
    ErrorEvent,
    Event,
    InsightFailed,
    InsightReady,
    LanguageChanged,
    SessionEnded,
    TranscriptFinal,
    TranscriptPartial,
    TranscriptPolished,
    TranslationFinal,
    WarningEvent,
    to_json,
)
from dragoman.domain.messages import SessionWishes
from dragoman.pipeline.minutes import minutes

_BLOCK_SAMPLES: Final = 1_600


async def listen_to(
    source: str, server: str, key: str | None, wishes: SessionWishes, *, fast: bool, as_text: bool
) -> int:
    """Stream a source to a server and show what it says; return the exit code.

    Raises:
        DragomanError: if the source cannot be heard, or the session cannot be brought to its end.
    """
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    shown = _Shown() if as_text else None
    failed = False
    async with Stream(server, wishes, key=key) as stream:

        async def feed() -> None:
            try:
                async with aclosing(_audio(source, fast, interrupted)) as chunks:
                    async for chunk in chunks:
                        await stream.send(chunk)
            finally:  # what was heard before trouble came is still said
                await stream.end()

        feeding = asyncio.create_task(feed())
        async with aclosing(stream.events()) as events:
            async for event in events:
                failed |= isinstance(event, ErrorEvent)
                if shown:
                    shown.show(event)
                elif event.type != "audio.ack":
                    sys.stdout.write(to_json(event) + "\n")
                    sys.stdout.flush()
        await feeding
    return EXIT_FAILED if failed else EXIT_INTERRUPTED if interrupted.is_set() else EXIT_OK


async def _audio(source: str, fast: bool, interrupted: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Yield s16le, mono, 16 kHz, until it ends or is interrupted."""
    chunks = _microphone() if source == "microphone" else _file(source, paced=not fast and source != "-")
    async with aclosing(chunks):
        stop = asyncio.ensure_future(interrupted.wait())
        while True:
            upcoming = asyncio.ensure_future(anext(chunks, b""))
            await asyncio.wait([upcoming, stop], return_when=asyncio.FIRST_COMPLETED)
            if not upcoming.done():
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)
                return
            if not (chunk := upcoming.result()):
                stop.cancel()
                return
            yield chunk


async def _file(source: str, *, paced: bool) -> AsyncGenerator[bytes, None]:
    """Yield a file's audio, ``paced`` as it was spoken; standard input comes when it comes."""
    started_s = time.monotonic()
    async with open_audio(sys.stdin.buffer if source == "-" else Path(source)) as audio:
        async for item in audio:
            if not isinstance(item, AudioFrame):
                click.secho(f"warning: {item.message} [{item.code}]", fg="yellow", err=True)
                continue
            for start in range(0, item.samples, _BLOCK_SAMPLES):
                yield item.pcm[2 * start : 2 * (start + _BLOCK_SAMPLES)]
                if paced:
                    spoken_s = (item.start + start + _BLOCK_SAMPLES) / SAMPLE_RATE_HZ
                    await asyncio.sleep(started_s + spoken_s - time.monotonic())


async def _microphone() -> AsyncGenerator[bytes, None]:
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise DependencyMissingError(
            "The microphone needs sounddevice and PortAudio; install them with: pip install 'dragoman[microphone]' "
            "(on Debian also: apt install libportaudio2). Or name a file."
        ) from error
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes] = asyncio.Queue()

    def heard(data: bytes, frames: int, when: object, status: object) -> None:
        loop.call_soon_threadsafe(blocks.put_nowait, bytes(data))

    with sounddevice.RawInputStream(SAMPLE_RATE_HZ, _BLOCK_SAMPLES, channels=1, dtype="int16", callback=heard):
        click.secho("Listening; Ctrl+C ends it.", dim=True, err=True)
        while True:
            yield await blocks.get()


class _Shown:
    """What is said, line by line; on a terminal with the open utterance below."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._starts: dict[str, str] = {}  # translations may come late

    def show(self, event: Event) -> None:
        """Show an event."""
        match event:
            case TranscriptPartial() if self._is_terminal:
                width = shutil.get_terminal_size().columns - 1
                stable, tail = event.text[: event.stable_len], event.text[event.stable_len :]
                cut = max(0, len(event.text) - width)  # the end is what is new
                sys.stdout.write("\r\x1b[K" + stable[cut:] + click.style(tail[max(0, cut - len(stable)) :], dim=True))
            case TranscriptFinal():
                self._starts[event.utterance_id] = start = f"[{_clock(event.start_ms)}]"
                speaker = f"{event.speaker}  " if event.speaker else ""
                self._line(f"{start}  {speaker}{event.locale}  {event.text}")
            case TranscriptPolished():
                start = self._starts.get(event.utterance_id, "")
                self._line(click.style(f"{start}  reads  {event.text}", fg="green"))
            case TranslationFinal():
                start = self._starts.get(event.utterance_id, "")
                self._line(click.style(f"{start}  {f'→ {event.target}':>5}  {event.text}", fg="cyan"))
            case LanguageChanged():
                self._line(click.style(f"— {event.changed_from} → {event.locale} —", fg="magenta"))
            case InsightReady():
                self._line("\n" + minutes(event.insight).rstrip("\n"))
            case WarningEvent() | ErrorEvent() | InsightFailed():
                self._line(click.style(f"{event.type}: {event.message} [{event.code}]", fg="yellow"), error=True)
            case SessionEnded():
                ledger = event.ledger
                seconds = ledger.accepted_samples / ledger.sample_rate_hz
                lost = ledger.lost_samples / ledger.sample_rate_hz
                self._line(
                    click.style(f"{event.utterances} utterances in {seconds:.1f} s, {lost:.1f} s lost", dim=True),
                    error=True,
                )
            case _:
                pass
        sys.stdout.flush()

    def _line(self, text: str, *, error: bool = False) -> None:
        if self._is_terminal:
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()
        click.echo(text, err=error)


def _clock(ms: int) -> str:
    return f"{ms // 60_000:02}:{ms % 60_000 / 1000:04.1f}"
