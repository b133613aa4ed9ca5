"""``dragoman data add|list|pull|diff``: into the store, out of it, and what changed."""

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.data.wishes import (
    blob_access_of,
    counted,
    data_option,
    duration,
    format_option,
    identity,
    open_named,
    print_json,
    print_table,
    progress,
    settings_of,
    store_of,
    summary,
    warn,
)
from dragoman.cli.exits import EXIT_FAILED

if TYPE_CHECKING:
    from dragoman.datasets.adding import Added, Defaults
    from dragoman.datasets.items import Card
    from dragoman.datasets.sources import Recordings
    from dragoman.datasets.store import DatasetStore

_BYTES_PER_GB = 1_000_000_000


@click.command()
@click.argument("name")
@click.argument("source")
@click.option("--license", metavar="TEXT", help="Under which license it may be used, for example CC-BY-4.0.")
@click.option("--consent", metavar="TEXT", help="By what right the voices are in it, for example where consent lies.")
@click.option("--provenance", metavar="TEXT", help="Where it comes from and how it was made.")
@click.option("--title", metavar="TEXT", help="What it is, in a line.")
@click.option("--locale", metavar="LOCALE", help="Language of utterances about which the source says none: de-DE.")
@click.option("--split", metavar="SPLIT", help="Part for recordings about which the source says none: test.")
@click.option(
    "--max-gb", type=click.FloatRange(0, min_open=True), default=20, show_default=True, help="Largest source to accept."
)
@data_option
def add(
    name: str,
    source: str,
    license: str | None,
    consent: str | None,
    provenance: str | None,
    title: str | None,
    locale: str | None,
    split: str | None,
    max_gb: float,
    data_folder: Path | None,
) -> None:
    """Keep what SOURCE holds as NAME.

    SOURCE is a folder, an archive (zip, tar), a file of cases (.jsonl), or the address of one: https://… of an archive
    or a manifest.jsonl, or a folder in Blob Storage, https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX.

    Transcripts come from manifest.jsonl, from transcripts.csv, .tsv or .jsonl (columns file, text, locale, speaker,
    start_ms, end_ms, split, subject), from the trans.txt of Custom Speech, or from x.txt beside x.wav. A recording that
    cannot be used is named, and the others are kept. The reference of the version goes to standard output.
    """
    from dragoman.datasets.adding import Added, Defaults
    from dragoman.datasets.items import make_card
    from dragoman.datasets.limits import Allowance, Limits
    from dragoman.datasets.sources import Recordings, open_source

    make_card({"name": name})  # before anything is fetched
    settings = settings_of(data_folder)
    store = store_of(settings)
    allowance = Allowance(Limits(max_bytes=int(max_gb * _BYTES_PER_GB)))
    with open_source(source, store.folder, allowance, blob_access_of(settings)) as found:
        given = {"license": license, "consent": consent, "provenance": provenance, "title": title}
        card = _card(name, found.card, given)
        if isinstance(found, Recordings):
            added = _add_recordings(store, card, found, Defaults(locale, split))
        else:
            added = Added(store.keep(found.with_card(card)), ())
    kept = added.kept
    for each in added.broken:
        click.secho(f"{each.file}: {each.why}", fg="red", err=True)
    for missing in kept.dataset.card.missing:
        warn(f"Nobody says its {missing}: validate and push will refuse it; give --{missing}.")
    click.secho(f"{'Kept' if kept.is_new else 'Was there already'}: {summary(kept.dataset)}.", err=True)
    click.echo(identity(kept.dataset))
    if added.broken:
        warn(f"{counted(len(added.broken), 'recording')} could not be used.")
        sys.exit(EXIT_FAILED)


def _add_recordings(store: "DatasetStore", card: "Card", found: "Recordings", defaults: "Defaults") -> "Added":
    from dragoman.datasets.adding import add as add_recordings

    with progress("Recordings", len(found.drafts)) as advance:
        return asyncio.run(add_recordings(store, card, found.drafts, found.locate, defaults, advance))


def _card(name: str, found: "Card", given: dict[str, str | None]) -> "Card":
    from dragoman.datasets.items import make_card

    said = {field: value for field, value in given.items() if value is not None}
    return make_card({**found.model_dump(), **said, "name": name})


@click.command("list")
@format_option
@data_option
def list_datasets(format: str, data_folder: Path | None) -> None:
    """List the datasets that are kept.

    Every version is a line; * marks the one that the name alone means.
    """
    store = store_of(settings_of(data_folder))
    found = [
        (name, version, version == store.latest(name), store.open(name, version))
        for name in store.names()
        for version in store.versions(name)
    ]
    if format == "json":
        print_json(
            [
                {
                    "name": name,
                    "version": version,
                    "latest": latest,
                    "recordings": len(dataset.recordings),
                    "cases": len(dataset.cases),
                    "audio_ms": dataset.audio_ms,
                    "erased": dataset.erased_items,
                    "card": dataset.card.model_dump(mode="json", by_alias=True),
                }
                for name, version, latest, dataset in found
            ]
        )
        return
    rows = [
        (f"{name}@{version}", "*" if latest else "", summary(dataset), dataset.card.change or "")
        for name, version, latest, dataset in found
    ]
    print_table([("dataset", "", "holds", "change"), *rows])


@click.command()
@click.argument("dataset")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@data_option
def pull(dataset: str, folder: Path, data_folder: Path | None) -> None:
    """Write DATASET into FOLDER.

    Recordings are copied; the folder must be new or empty.
    """
    from dragoman.datasets.pulling import pull as write

    found = open_named(dataset, data_folder)
    write(found, folder)
    click.secho(f"Wrote {identity(found)} to {folder}: {summary(found)}.", err=True)


@click.command()
@click.argument("old")
@click.argument("new")
@format_option
@data_option
def diff(old: str, new: str, format: str, data_folder: Path | None) -> None:
    """Say what changed from OLD to NEW."""
    from dragoman.datasets.comparing import compare

    one, two = open_named(old, data_folder), open_named(new, data_folder)
    found = compare(one, two)
    if format == "json":
        print_json({"old": identity(one), "new": identity(two), **asdict(found)})
        return
    if found.is_none:
        click.echo(f"No difference: both are {one.version}.")
        return
    click.echo(f"{identity(one)} → {identity(two)}")
    if found.card:
        click.echo(f"card: {', '.join(found.card)}")
    for sign, names in (("+", found.added), ("-", found.removed)):
        for name in names:
            click.echo(f"{sign} {name}")
    for change in found.changed:
        click.echo(f"~ {change.id}: {', '.join(change.fields)}")
    click.echo(
        f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed; "
        f"{found.items:+d} items, {duration(found.audio_ms) if found.audio_ms < 0 else '+' + duration(found.audio_ms)}"
    )
