"""Where results go, and in which formats."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import click

from dragoman.pipeline.captions import CAPTIONS, FORMATS, cues
from dragoman.pipeline.transcript import Transcript

_SUFFIXES: Final = {"text": "txt"}


@dataclass(frozen=True, slots=True)
class Output:
    """A file per input and format in ``folder``, or one format to standard output.

    Captions hold one language at a time: on standard output the one spoken, or the target ``captions_in``.

    Raises:
        click.UsageError: if several formats would share standard output.
    """

    formats: tuple[str, ...]
    folder: Path | None = None
    captions_in: str | None = None

    def __post_init__(self) -> None:
        if self.folder is None and len(self.formats) > 1:
            raise click.UsageError("Several formats cannot share standard output; add --output-dir.")

    def check_targets(self, targets: Sequence[str]) -> None:
        """Refuse translations that would be made and shown nowhere.

        Raises:
            click.UsageError: naming the ways out.
        """
        if self.captions_in is not None and self.captions_in not in targets:
            raise click.UsageError(f"--captions-in {self.captions_in} is not among the --translate targets.")
        if self.folder is None and self.formats[0] in CAPTIONS and targets and self.captions_in is None:
            raise click.UsageError(
                "Captions hold one language: choose it with --captions-in, or get one file each with --output-dir."
            )

    @property
    def is_one_document(self) -> bool:
        """Whether standard output gets a document, which has a beginning and an end and cannot follow another."""
        return self.folder is None and self.formats[0] not in ("text", "jsonl")

    def streams(self, name: str) -> bool:
        """Return whether a format goes to standard output while it comes into being."""
        return self.folder is None and name in self.formats

    def write(self, transcript: Transcript, stem: str) -> None:
        """Write every format but ``jsonl``, which is written event by event; captions once per language.

        Raises:
            OSError: if a file cannot be written.
        """
        for name in self.formats:
            if name == "jsonl":
                continue
            if self.folder is None:
                sys.stdout.write(
                    CAPTIONS[name](transcript, self.captions_in) if name in CAPTIONS else FORMATS[name](transcript)
                )
                continue
            _write(self.folder / f"{stem}.{_SUFFIXES.get(name, name)}", FORMATS[name](transcript))
            for target in transcript.targets if name in CAPTIONS else ():
                if any(cues(transcript, target)):
                    _write(self.folder / f"{stem}.{target}.{name}", CAPTIONS[name](transcript, target))

    def open_events(self, stem: str, stack: ExitStack, *, append: bool) -> TextIO | None:
        """Return where events go, line by line, if they are wanted; ``stack`` closes it.

        Raises:
            OSError: if the file cannot be written.
        """
        if "jsonl" not in self.formats:
            return None
        if self.folder is None:
            return sys.stdout
        self.folder.mkdir(parents=True, exist_ok=True)
        return stack.enter_context((self.folder / f"{stem}.jsonl").open("a" if append else "w", encoding="utf-8"))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
