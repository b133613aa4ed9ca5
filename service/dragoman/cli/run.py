"""Runs recordings one after another and writes what comes out."""

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from dragoman.audio.decode import AudioInfo, RawFormat, open_audio
from dragoman.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from dragoman.cli.progress import ProgressBar
from dragoman.domain.errors import DragomanError
from dragoman.domain.events import DurableEvent, ErrorEvent, WarningEvent, to_json
from dragoman.pipeline.captions import CAPTIONS, FORMATS, utterance_lines
from dragoman.pipeline.session import Session
from dragoman.pipeline.transcript import Transcript, TranscriptBuilder, merge
from dragoman.runtime import Recording, Runtime, Wishes

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go: a file per input and format in ``folder``, or one format to standard output."""

    formats: tuple[str, ...]
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.folder is None and len(self.formats) > 1:
            raise click.UsageError("Several formats cannot share standard output; add --output-dir.")

    def streams(self, name: str) -> bool:
        """Return whether a format is written to standard output while it comes into being."""
        return self.folder is None and name in self.formats

    def write(self, transcript: Transcript, stem: str) -> None:
        """Write every document format; ``jsonl`` is written event by event while the session runs."""
        for name in self.formats:
            if name == "jsonl":
                continue
            if self.folder is None:
                sys.stdout.write(FORMATS[name](transcript))
                continue
            _write(self.folder / f"{stem}.{_SUFFIXES.get(name, name)}", FORMATS[name](transcript))
            for target in transcript.targets if name in CAPTIONS else ():
                _write(self.folder / f"{stem}.{target}.{name}", CAPTIONS[name](transcript, target))


_SUFFIXES = {"text": "txt"}


class Runner:
    """Transcribes inputs in order; the trouble of one is reported and does not stop the next."""

    def __init__(
        self, runtime: Runtime, wishes: Wishes, output: Output, *, split: bool, raw: RawFormat | None, quiet: bool
    ) -> None:
        self._runtime = runtime
        self._wishes = wishes
        self._output = output
        self._split = split
        self._raw = raw
        self._quiet = quiet
        self._session: Session | None = None
        self._interrupted = False
        self._warned: set[tuple[str, str]] = set()  # what holds for every input is said once

    async def run(self, files: Sequence[str]) -> int:
        """Transcribe the inputs; return the exit code.

        Raises:
            DragomanError: if nothing can be transcribed at all: no model, or languages it does not know.
        """
        failed = False
        with self._stoppable():
            for file, stem in zip(files, _stems(files), strict=True):
                transcript = await self._input(file, stem)
                failed |= transcript is None or bool(transcript.errors)
                if self._interrupted:
                    return EXIT_INTERRUPTED
        return EXIT_FAILED if failed else EXIT_OK

    async def _input(self, file: str, stem: str) -> Transcript | None:
        with ProgressBar(Path(file).name, shown=not self._quiet) as progress:
            try:
                channels = await self._channels(file)
            except DragomanError as error:
                progress.say(f"{file}: {error} [{error.code}]", "red")
                return None
            transcript = merge([await self._channel(file, stem, channel, progress) for channel in channels])
        if not (self._output.streams("text") and len(channels) == 1):
            self._output.write(transcript, stem)
        return transcript

    async def _channels(self, file: str) -> list[int | None]:
        if not self._split:
            return [None]
        if file == STDIN:
            raise click.UsageError(
                "Channels of standard input cannot be split, as it can be read only once; use a file."
            )
        async with open_audio(Path(file), raw=self._raw) as audio:
            return list(range(audio.info.channels))

    async def _channel(self, file: str, stem: str, channel: int | None, progress: ProgressBar) -> Transcript:
        source = Recording(Path(file)) if file != STDIN else Recording(sys.stdin.buffer, name="stdin")
        recording = Recording(source.source, source.name, channel, self._raw)
        builder = TranscriptBuilder()

        def watch(session: Session, info: AudioInfo) -> None:
            self._session = session
            progress.update(session.settled_samples, info.duration_ms)

        with ExitStack() as stack:
            events_file = self._events_file(stem, channel, stack)
            async with aclosing(self._runtime.transcribe(recording, self._wishes, watch=watch)) as events:
                async for event in events:
                    if events_file:
                        events_file.write(to_json(event) + "\n")
                        events_file.flush()
                    utterances = builder.add(event)
                    if self._output.streams("text") and channel is None:
                        sys.stdout.write("".join(map(utterance_lines, utterances)))
                        sys.stdout.flush()
                    self._report(event, file, progress)
        return builder.transcript()

    def _events_file(self, stem: str, channel: int | None, stack: ExitStack) -> TextIO | None:
        if "jsonl" not in self._output.formats:
            return None
        if self._output.folder is None:
            return sys.stdout
        self._output.folder.mkdir(parents=True, exist_ok=True)
        # The channels of one recording follow each other in one file.
        path = self._output.folder / f"{stem}.jsonl"
        return stack.enter_context(path.open("a" if channel else "w", encoding="utf-8"))

    def _report(self, event: DurableEvent, file: str, progress: ProgressBar) -> None:
        if isinstance(event, ErrorEvent):
            progress.say(f"{file}: {event.message} [{event.code}]", "red")
        elif isinstance(event, WarningEvent) and not self._quiet and (event.code, event.message) not in self._warned:
            self._warned.add((event.code, event.message))
            progress.say(f"{file}: {event.message} [{event.code}]", "yellow")

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Let the first Ctrl-C end the running session and keep what it said, and the second one the program."""
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            self._interrupted = True
            loop.remove_signal_handler(signal.SIGINT)
            if self._session:
                self._session.stop()

        loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)


def _stems(files: Sequence[str]) -> list[str]:
    """Return a name for the results of each input: its own without suffix, or more of it where two would collide."""
    paths = [Path("stdin" if file == STDIN else file) for file in files]
    stems = [path.stem for path in paths]
    names = [path.name if stems.count(path.stem) > 1 else path.stem for path in paths]
    return [f"{name}-{names[:at].count(name) + 1}" if names.count(name) > 1 else name for at, name in enumerate(names)]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
