"""``dragoman transcribe``: recordings in, text, captions or events out."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.wishes import insight_option, polish_option, recognition_options, tags

if TYPE_CHECKING:
    from dragoman.audio.decode import RawFormat


def _raw(ctx: click.Context, parameter: click.Parameter, value: str | None) -> "RawFormat | None":
    from dragoman.audio.decode import RawFormat

    match value.split(":") if value else []:
        case []:
            return None
        case [("s16le" | "f32le" | "mulaw" | "alaw") as encoding, rate, *channels] if (
            rate.isdigit() and len(channels) <= 1 and all(count.isdigit() for count in channels)
        ):
            return RawFormat(encoding, int(rate), int(channels[0]) if channels else 1)
        case _:
            raise click.BadParameter(f"'{value}' is not like mulaw:8000 or s16le:48000:2")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES…")
@click.option(
    "--languages",
    "-l",
    callback=tags,
    metavar="LOCALES",
    help="Candidates, for example en-US,de-DE. Default: all of the model's.",
)
@click.option(
    "--lid",
    type=click.Choice(["at-start", "continuous"]),
    default="continuous",
    show_default=True,
    help="Decide the language once, or for every utterance.",
)
@click.option(
    "--translate", "-t", callback=tags, metavar="TAGS", help="Languages to translate into, for example en,fr."
)
@click.option(
    "--model", "-m", metavar="MODEL", help="micro (bundled), a folder, or a name such as small or large-v3-turbo."
)
@click.option(
    "--translation-model",
    "translation_models",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A CTranslate2 translation model; repeat for several. The micro model has one of its own.",
)
@click.option(
    "--format",
    "-f",
    "formats",
    multiple=True,
    type=click.Choice(["text", "json", "jsonl", "srt", "vtt", "tsv"]),
    help="Output format; repeat with --output-dir. Default: text.",
)
@click.option(
    "--output-dir",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write one file per input and format here instead of to standard output.",
)
@click.option(
    "--captions-in",
    metavar="TAG",
    help="Language of captions on standard output: one of --translate. Default: as spoken.",
)
@click.option(
    "--word-times", is_flag=True, help="Add the time of every word (json and jsonl show them, captions use them)."
)
@click.option(
    "--channels",
    type=click.Choice(["mix", "split"]),
    default="mix",
    show_default=True,
    help="Mix all channels, or transcribe each by itself.",
)
@click.option(
    "--raw",
    callback=_raw,
    metavar="ENCODING:RATE[:CHANNELS]",
    help="Headerless audio: s16le, f32le, mulaw or alaw, for example mulaw:8000.",
)
@click.option(
    "--beam-size", type=click.IntRange(1, 20), metavar="N", help="Beams of decoding; 1 is greedy and the default."
)
@click.option("--threads", type=click.IntRange(0, 256), metavar="N", help="CPU threads per decoding.")
@click.option(
    "--max-audio-hours",
    type=click.FloatRange(0, 240, min_open=True),
    metavar="H",
    help="Longest recording to accept. Default: 4.",
)
@insight_option
@polish_option
@recognition_options
@click.option("--quiet", "-q", is_flag=True, help="No progress and no warnings on standard error.")
def transcribe(
    files: tuple[str, ...],
    languages: tuple[str, ...] | None,
    lid: str,
    translate: tuple[str, ...] | None,
    model: str | None,
    translation_models: tuple[Path, ...],
    formats: tuple[str, ...],
    output_dir: Path | None,
    captions_in: str | None,
    word_times: bool,
    channels: str,
    raw: "RawFormat | None",
    beam_size: int | None,
    threads: int | None,
    max_audio_hours: float | None,
    insight: str | None,
    polish: bool,
    phrases: tuple[str, ...] | None,
    speakers: bool,
    dictation: bool,
    end_silence: int | None,
    quiet: bool,
) -> None:
    """Transcribe recordings, identify their languages, and translate them.

    FILES are audio or video files, or - for standard input (which may be a live pipe). Text, captions or events go to
    standard output, progress and warnings to standard error. A file that fails does not stop the others.
    """
    from dragoman.cli.output import Output
    from dragoman.cli.run import Runner
    from dragoman.domain.language import LidMode, parse_target
    from dragoman.domain.recognition import choose_recognition
    from dragoman.runtime import Runtime, Wishes
    from dragoman.settings import read_settings

    output = Output(formats or ("text",), output_dir, captions_in and parse_target(captions_in))
    output.check_targets([parse_target(target) for target in translate or ()])
    settings = read_settings(
        model=model,
        translation_models=translation_models or None,
        beam_size=beam_size,
        threads=threads,
        max_audio_hours=max_audio_hours,
    )
    recognition = choose_recognition(phrases or (), speakers, dictation, end_silence)
    wishes = Wishes(languages, LidMode(lid), translate or (), word_times, recognition, insight, polish)
    with Runtime(settings) as runtime:
        runner = Runner(runtime, wishes, output, split=channels == "split", raw=raw, quiet=quiet)
        sys.exit(asyncio.run(runner.run(files)))
