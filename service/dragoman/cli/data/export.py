"""``dragoman data export``: what services that are taught take."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.data.wishes import (
    counted,
    data_option,
    format_option,
    open_named,
    print_json,
    print_table,
    progress,
    settings_of,
    warn,
)
from dragoman.domain.errors import DatasetInvalidError

if TYPE_CHECKING:
    from dragoman.datasets.dataset import Dataset
    from dragoman.datasets.exports.outcome import Exported
    from dragoman.insight.reciting import Step
    from dragoman.settings import Settings

_TARGETS = ("custom-speech", "custom-translator", "azure-openai")
_STEPS = ("insight", "answer", "polish")
_KILOBYTE = 1_000


@click.command()
@click.argument("dataset")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", "target", type=click.Choice(_TARGETS), required=True, help="Who is to be taught.")
@click.option("--avoid", multiple=True, metavar="DATASET", help="An evaluation that must not share a text; repeat.")
@click.option("--whisper", is_flag=True, help="custom-speech: recordings of at most 30 s, for Whisper models.")
@click.option(
    "--pronunciations",
    nargs=2,
    multiple=True,
    metavar="LOCALE FILE",
    help="custom-speech: a word, a tab and how it is spoken, per line; repeat.",
)
@click.option("--tmx", is_flag=True, help="custom-translator: TMX instead of aligned texts.")
@click.option(
    "--dictionary",
    nargs=3,
    multiple=True,
    metavar="FROM INTO FILE",
    help="custom-translator: a phrase, a tab and its translation, per line; repeat.",
)
@click.option("--step", type=click.Choice(_STEPS), help="azure-openai: the step that is to be taught.")
@click.option(
    "--flow",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="azure-openai: folder of the step's words.  [default: those that ship]",
)
@format_option
@data_option
def export(
    dataset: str,
    folder: Path,
    target: str,
    avoid: tuple[str, ...],
    whisper: bool,
    pronunciations: tuple[tuple[str, str], ...],
    tmx: bool,
    dictionary: tuple[tuple[str, str, str], ...],
    step: str | None,
    flow: Path | None,
    format: str,
    data_folder: Path | None,
) -> None:
    """Write DATASET into FOLDER for fine-tuning.

    custom-speech takes recordings with what is said in them, custom-translator the translations of that,
    azure-openai reviewed answers of a step (given and answer). What a service would refuse or drop is left out
    and named; what is written is read again and checked. The record export.json says where it is from. A dataset
    without license, consent or provenance stays here.
    """
    from dragoman.datasets.exports.outcome import check_empty, write_record
    from dragoman.datasets.pushing import check_papers

    found = open_named(dataset, data_folder)
    check_papers(found)
    check_empty(folder)
    _check_kind(found, target)
    avoided = tuple(open_named(reference, data_folder) for reference in avoid)
    match target:
        case "custom-speech":
            exported = _speech(found, folder, avoided, is_whisper=whisper, pronunciations=pronunciations)
        case "custom-translator":
            exported = _translations(found, folder, avoided, is_tmx=tmx, dictionary=dictionary)
        case _:
            exported = _chats(found, folder, avoided, _step(settings_of(data_folder), step, flow))
    if not exported.files:
        raise _nothing(exported)
    write_record(folder, found, target, exported)
    _report(exported, folder, format)


def _report(exported: "Exported", folder: Path, format: str) -> None:
    if format == "json":
        print_json({"folder": str(folder), **asdict(exported)})
        return
    for each in exported.left_out:
        click.echo(f"{each.reason}  {each.item}: {each.why}")
    rows = [(file.file, f"{file.entries:,}", f"{file.bytes / _KILOBYTE:,.0f} kB") for file in exported.files]
    print_table([("file", "entries", "size"), *rows])
    for note in exported.notes:
        warn(note)
    left_out = f"; {len(exported.left_out)} left out, as named above" if exported.left_out else ""
    click.secho(f"Wrote {folder}: {counted(len(exported.files), 'file')}{left_out}.", err=True)


def _nothing(exported: "Exported") -> DatasetInvalidError:
    named = "; ".join(f"{each.item}: {each.why}" for each in exported.left_out[:3])
    return DatasetInvalidError(f"Nothing can be exported. {named or 'The dataset has nothing of this kind.'}")


def _check_kind(found: "Dataset", target: str) -> None:
    if target == "azure-openai" and not found.cases:
        raise DatasetInvalidError(
            f"'{found.card.name}' holds recordings; answers of a step are cases, a .jsonl with 'given' and 'answer'."
        )
    if target != "azure-openai" and not found.recordings:
        raise DatasetInvalidError(f"'{found.card.name}' holds cases; {target} takes recordings and what is said.")


def _speech(
    found: "Dataset",
    folder: Path,
    avoided: "tuple[Dataset, ...]",
    *,
    is_whisper: bool,
    pronunciations: tuple[tuple[str, str], ...],
) -> "Exported":
    from dragoman.datasets.exports.custom_speech import SpeechWishes, export_custom_speech
    from dragoman.datasets.exports.speech_archive import TRAIN_MS, WHISPER_MS
    from dragoman.domain.language import parse_locale

    wishes = SpeechWishes(
        longest_ms=WHISPER_MS if is_whisper else TRAIN_MS,
        avoided=avoided,
        pronunciations={parse_locale(locale): _tabbed(Path(file)) for locale, file in pronunciations},
    )
    with progress("Recordings", len(found.recordings)) as advance:
        return asyncio.run(export_custom_speech(found, folder, wishes, advance))


def _translations(
    found: "Dataset",
    folder: Path,
    avoided: "tuple[Dataset, ...]",
    *,
    is_tmx: bool,
    dictionary: tuple[tuple[str, str, str], ...],
) -> "Exported":
    from dragoman.datasets.exports.custom_translator import TranslatorWishes, export_custom_translator
    from dragoman.domain.language import base_language, parse_target

    entries = {
        (base_language(parse_target(source)), base_language(parse_target(target))): _tabbed(Path(file))
        for source, target, file in dictionary
    }
    return export_custom_translator(found, folder, TranslatorWishes(is_tmx, avoided, entries))


def _chats(found: "Dataset", folder: Path, avoided: "tuple[Dataset, ...]", step: "Step") -> "Exported":
    from dragoman.datasets.exports.chat_examples import ChatWishes, export_chats

    with progress("Examples", len(found.cases)) as advance:
        return asyncio.run(export_chats(found, folder, ChatWishes(step, avoided), advance))


def _step(settings: "Settings", name: str | None, flow: Path | None) -> "Step":
    from dragoman.steps import Steps

    steps = Steps(settings)
    match name:
        case "insight":
            return steps.insight(flow)
        case "answer":
            return steps.answer(flow)
        case "polish":
            return steps.polish(flow)
        case _:
            raise click.UsageError(f"--to azure-openai needs --step, one of {', '.join(_STEPS)}.")


def _tabbed(file: Path) -> list[tuple[str, str]]:
    """Return the two columns of a file."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetInvalidError(f"'{file}' cannot be read: {error}") from error
    pairs = []
    for number, line in enumerate(lines, 1):
        one, tab, two = line.partition("\t")
        if line.strip() and (not tab or "\t" in two):
            raise DatasetInvalidError(f"'{file}', line {number}: two columns with a tab between them are expected.")
        pairs += [(one, two)] if line.strip() else []
    return pairs
