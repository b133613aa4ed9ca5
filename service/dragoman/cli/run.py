"""Runs recordings one after another and writes what comes out."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path
from typing import TextIO

import click

from dragoman.audio.decode import RawFormat, open_audio
from dragoman.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from dragoman.cli.output import Output
from dragoman.cli.progress import ProgressBar
from dragoman.domain.errors import DragomanError
from dragoman.domain.events import DurableEvent, ErrorEvent, InsightFailed, TranscriptPolished, WarningEvent, to_json
from dragoman.pipeline.captions import utterance_lines
from dragoman.pipeline.minutes import minutes
from dragoman.pipeline.transcript import Transcript, TranscriptBuilder, merge
from dragoman.runtime import Recording, Runtime, Transcription, Wishes

STDIN = "-"


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
        self._current: Transcription | None = None
        self._interrupted = False
        self._warned: set[tuple[str, str]] = set()  # what holds for every input is said once

    async def run(self, files: Sequence[str]) -> int:
        """Transcribe the inputs; return the exit code.

        Raises:
            DragomanError: if nothing can be transcribed at all: no model, or languages it does not know.
        """
        self._check(files)
        await self._runtime.check(self._wishes)
        failed = False
        with self._stoppable():
            for file, stem in zip(files, _stems(files), strict=True):
                transcript = await self._input(file, stem, is_one_of_many=len(files) > 1)
                failed |= transcript is None or bool(transcript.errors)
                if self._interrupted:
                    return EXIT_INTERRUPTED
        return EXIT_FAILED if failed else EXIT_OK

    def _check(self, files: Sequence[str]) -> None:
        if len(files) > 1 and self._output.is_one_document:
            raise click.UsageError("The results of several inputs cannot share standard output; add --output-dir.")
        pipes = [file for file in files if file == STDIN or Path(file).is_fifo()]
        if self._wishes.insight and self._split:
            raise click.UsageError("An insight is one of the whole conversation; leave out --channels split.")
        if pipes and self._split:
            raise click.UsageError("A pipe can be read only once, and so not split; save it to a file first.")
        if files.count(STDIN) > 1 or (STDIN in files and sys.stdin is None):
            raise click.UsageError("Standard input can be read only once, and only if it is open.")

    async def _input(self, file: str, stem: str, *, is_one_of_many: bool) -> Transcript | None:
        with ProgressBar(Path(file).name, shown=not self._quiet) as progress:
            try:
                if is_one_of_many and self._output.streams("text"):
                    sys.stdout.write(f"# {_shown(file)}\n")
                channels = await self._channels(file)
                streams_text = self._output.streams("text") and len(channels) == 1
                transcripts = []
                for channel in channels:
                    transcripts.append(await self._channel(file, stem, channel, progress, streams_text=streams_text))
                    if self._interrupted:
                        break
                transcript = merge(transcripts)
                if not streams_text:
                    self._output.write(transcript, stem)
            except BrokenPipeError:
                raise
            except OSError as error:
                progress.say(f"{_shown(file)}: its results cannot be written: {error}", "red")
            except DragomanError as error:
                progress.say(f"{_shown(file)}: {error} [{error.code}]", "red")
            else:
                return transcript
        return None

    async def _channels(self, file: str) -> list[int | None]:
        if not self._split:
            return [None]
        async with open_audio(Path(file), raw=self._raw) as audio:
            return list(range(audio.info.channels))

    async def _channel(
        self, file: str, stem: str, channel: int | None, progress: ProgressBar, *, streams_text: bool
    ) -> Transcript:
        builder = TranscriptBuilder()
        source = sys.stdin.buffer if file == STDIN else Path(file)
        recording = Recording(source, "stdin" if file == STDIN else None, channel, self._raw)
        self._current = await self._runtime.start(recording, self._wishes)
        if self._interrupted:  # while it was started
            self._current.stop()
        progress.watch(self._current)
        with ExitStack() as stack:
            lines = self._output.open_events(stem, stack, append=bool(channel))
            async with aclosing(self._current.events()) as events:
                async for event in events:
                    utterances = builder.add(event)
                    _write(lines, to_json(event) + "\n")
                    if streams_text:
                        _write(sys.stdout, "".join(map(utterance_lines, utterances)))
                        if isinstance(event, TranscriptPolished):  # after its utterance, and perhaps after others
                            _write(sys.stdout, f"  {event.utterance_id} reads  {event.text}\n")
                    self._report(event, file, progress)
        transcript = builder.transcript()
        if streams_text and transcript.insight:
            _write(sys.stdout, f"\n{minutes(transcript.insight)}")
        return transcript

    def _report(self, event: DurableEvent, file: str, progress: ProgressBar) -> None:
        if isinstance(event, ErrorEvent):
            progress.say(f"{_shown(file)}: {event.message} [{event.code}]", "red")
        elif (
            isinstance(event, WarningEvent | InsightFailed)
            and not self._quiet
            and (event.code, event.message) not in self._warned
        ):
            self._warned.add((event.code, event.message))
            progress.say(f"{_shown(file)}: {event.message} [{event.code}]", "yellow")

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Let the first Ctrl-C end the running session and keep what it said, and the second one the program."""
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            self._interrupted = True
            loop.remove_signal_handler(signal.SIGINT)
            if self._current:
                self._current.stop()

        loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            if self._interrupted:  # all that is left is to tidy up, which one more Ctrl-C must not disturb
                signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write(file: TextIO | None, text: str) -> None:
    """Write a whole piece at once, so that a reader at the other end of a pipe need not wait."""
    if file is not None and text:
        file.write(text)
        file.flush()


def _shown(file: str) -> str:
    """Return a name that can be printed, whatever bytes it is made of."""
    return os.fsencode(file).decode(errors="replace")


def _stems(files: Sequence[str]) -> list[str]:
    """Return a name for the results of each input: its own without suffix, or more of it where two would collide."""
    paths = [Path("stdin" if file == STDIN else file) for file in files]
    stems = [path.stem for path in paths]
    names = [path.name if stems.count(path.stem) > 1 else path.stem for path in paths]
    return [f"{name}-{names[:at].count(name) + 1}" if names.count(name) > 1 else name for at, name in enumerate(names)]
