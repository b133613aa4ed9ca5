"""What the commands of ``dragoman data`` have in common: where the store is, and how figures are said."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.domain.errors import DatasetInvalidError

if TYPE_CHECKING:
    from dragoman.datasets.dataset import Dataset
    from dragoman.datasets.measuring import Measured, Unheard
    from dragoman.datasets.places import BlobAccess
    from dragoman.datasets.store import DatasetStore
    from dragoman.settings import Settings

_MS_PER_S = 1_000
_S_PER_MIN = 60
_MIN_PER_H = 60

data_option = click.option(
    "--data",
    "data_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder of everything that is kept. Default: the setting DRAGOMAN_DATA.",
)

format_option = click.option(
    "--format", "-f", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)


def settings_of(data_folder: Path | None) -> "Settings":
    """Return the settings, with the folder that was asked for."""
    from dragoman.settings import read_settings

    return read_settings(data=data_folder)


def store_of(settings: "Settings") -> "DatasetStore":
    """Return the store of datasets."""
    from dragoman.datasets.store import DatasetStore

    return DatasetStore(settings.data / "datasets")


def open_named(reference: str, data_folder: Path | None) -> "Dataset":
    """Return the dataset that somebody means."""
    from dragoman.datasets.store import open_dataset

    return open_dataset(reference, store_of(settings_of(data_folder)))


def blob_access_of(settings: "Settings") -> "BlobAccess":
    """Return as whom Blob Storage is reached."""
    from dragoman.datasets.places import BlobAccess
    from dragoman.engines.azure.access import Identity

    key = settings.blob_key.get_secret_value() if settings.blob_key else None
    return BlobAccess(settings.blob_endpoint, key, Identity(settings.azure_identity), settings.azure_client_id)


def summary(dataset: "Dataset") -> str:
    """Return how large a dataset is, in a line."""
    erased = f"{counted(dataset.erased_items, 'item')} erased" if dataset.erased_items else ""
    if dataset.card.schema_name == "cases/1":
        return ", ".join(filter(None, [counted(len(dataset.cases), "case"), erased]))
    languages = sorted({locale for item in dataset.recordings for locale in item.locales})
    said = sum(len(item.utterances) for item in dataset.recordings)
    parts = [
        counted(len(dataset.recordings), "recording"),
        duration(dataset.audio_ms),
        counted(said, "utterance"),
        ", ".join(languages),
        erased,
    ]
    return ", ".join(filter(None, parts))


def identity(dataset: "Dataset") -> str:
    """Return the reference that means exactly this version."""
    return f"{dataset.card.name}@{dataset.version}"


def counted(count: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def duration(milliseconds: int) -> str:
    """Return how long something is, in the two largest units."""
    sign = "-" if milliseconds < 0 else ""
    seconds = abs(milliseconds) / _MS_PER_S
    if seconds < _S_PER_MIN:
        return f"{sign}{seconds:.1f} s"
    minutes, left_s = divmod(round(seconds), _S_PER_MIN)
    if minutes < _MIN_PER_H:
        return f"{sign}{minutes} min {left_s} s"
    hours, left_min = divmod(minutes, _MIN_PER_H)
    return f"{sign}{hours} h {left_min} min"


def print_table(rows: Iterable[Sequence[str]]) -> None:
    """Write rows below each other, in columns."""
    cells = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_json(value: object) -> None:
    """Write a value that JSON can say."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def warn(message: str) -> None:
    """Say on standard error what somebody should know."""
    click.secho(message, fg="yellow", err=True)


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[str], None]]:
    """Show on a terminal how much is done; give what is to be called for each thing that is."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield lambda _: bar.update(1)


def listen(dataset: "Dataset") -> "dict[str, Measured | Unheard]":
    """Return what is heard in every recording of a dataset.

    Raises:
        DatasetInvalidError: if it has none.
    """
    from dragoman.datasets.measuring import measure_all
    from dragoman.engines.whisper.detector import SileroDetector

    if not dataset.recordings:
        raise DatasetInvalidError(f"'{dataset.card.name}' has no recordings to listen to.")
    with progress("Listening", len(dataset.recordings)) as advance:
        return asyncio.run(measure_all(dataset, SileroDetector, advance))


def keep_made(made: "Dataset", data_folder: Path | None) -> "Dataset":
    """Keep a version that was made from another, which may lie outside of the store."""
    store = store_of(settings_of(data_folder))
    store.keep_files(made)
    return store.keep(made).dataset
