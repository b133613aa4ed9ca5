"""``dragoman demo``: the main job on the recordings that ship with Dragoman."""

import asyncio
import json
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from rich.console import Console

    from dragoman.pipeline.transcript import Transcript
    from dragoman.runtime import Runtime

_LANGUAGE_STYLES = {"en-US": "cyan", "es-ES": "yellow", "de-DE": "magenta", "fr-FR": "green"}


@dataclass(frozen=True, slots=True)
class _Sample:
    """One recording of the manifest and the languages that are spoken in it, in order."""

    file: Path
    title: str
    locales: tuple[str, ...]


@click.command()
@click.option(
    "--output-dir",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Where SRT, VTT and JSON files go.",
)
def demo(output_dir: Path) -> None:
    """Transcribe five sample calls, offline: four languages, and one call that changes its language.

    Each is identified, transcribed and put into English by the bundled micro model. What follows from it is selected
    and counted: no language model is bundled.
    """
    from dragoman.runtime import Runtime

    with Runtime() as runtime:
        sys.exit(asyncio.run(_run(runtime, output_dir)))


async def _run(runtime: "Runtime", folder: Path) -> int:
    from rich.console import Console

    from dragoman.cli.output import Output

    console = Console(highlight=False)
    output = Output(("srt", "vtt", "json"), folder)
    started = time.monotonic()
    audio_s = 0.0
    right = True
    samples = _samples()
    for sample in samples:
        transcript = await _transcribe(runtime, sample)
        _show(console, sample, transcript)
        output.write(transcript, sample.file.stem)
        audio_s += sum(ledger.accepted_samples / ledger.sample_rate_hz for ledger in transcript.ledgers)
        right &= transcript.languages == sample.locales and not transcript.errors
    took_s = time.monotonic() - started
    console.print(
        f"{audio_s:.0f} s of audio in {took_s:.1f} s (RTF {took_s / audio_s:.3f}); "
        f"SRT, VTT and JSON files are in [bold]{folder}[/bold]."
    )
    console.print(
        "Next: [bold]dragoman transcribe --model small YOUR-FILE[/bold] (the micro model knows only these voices)"
    )
    return EXIT_OK if right else EXIT_FAILED


async def _transcribe(runtime: "Runtime", sample: _Sample) -> "Transcript":
    from dragoman.pipeline.transcript import TranscriptBuilder
    from dragoman.runtime import Recording, Wishes

    builder = TranscriptBuilder()
    async with aclosing(
        runtime.transcribe(Recording(sample.file), Wishes(translate=["en"], word_times=True, insight="en"))
    ) as events:
        async for event in events:
            builder.add(event)
    return builder.transcript()


def _samples() -> list[_Sample]:
    from dragoman.resources import samples_folder

    folder = samples_folder() / "audio"
    entries = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    return [
        _Sample(folder / entry["file"], entry["title"], tuple(span["locale"] for span in entry["spans"]))
        for entry in entries
        if "demo" in entry["tags"]  # the others stay in the checkout: they would make the wheel five times as large
    ]


def _show(console: "Console", sample: _Sample, transcript: "Transcript") -> None:
    from rich.table import Table
    from rich.text import Text

    from dragoman.pipeline.minutes import minutes

    agrees = "as labelled" if transcript.languages == sample.locales else f"labelled {' → '.join(sample.locales)}"
    table = Table(
        title=f"{sample.title} ({sample.file.name})",
        caption=f"heard {' → '.join(transcript.languages)}: {agrees}",
        title_justify="left",
        caption_justify="left",
        expand=True,
    )
    table.add_column("time", no_wrap=True)
    table.add_column("language", no_wrap=True)
    table.add_column("said", ratio=1)
    table.add_column("in English", ratio=1)
    for utterance in transcript.utterances:
        seconds = utterance.start_ms / 1000
        locale = Text(utterance.locale, style=_LANGUAGE_STYLES.get(utterance.locale, ""))
        english = utterance.translations.get("en") or ""
        table.add_row(f"{int(seconds // 60):02}:{seconds % 60:04.1f}", locale, Text(utterance.text), Text(english))
    console.print(table)
    if transcript.insight:
        console.print()
        console.print(Text(minutes(transcript.insight)))
    for remark in transcript.remarks:
        console.print(f"{remark.kind}: {remark.message} [{remark.code}]", markup=False, style="yellow")
