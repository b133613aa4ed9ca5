"""``dragoman feedback``: what people say of texts, reviewed and made into what is measured on and taught with."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.data.wishes import counted, identity, open_named, print_json, print_table, store_of, summary, warn
from dragoman.cli.keys import DATA, ledgers
from dragoman.cli.proposals import propose, reenter
from dragoman.domain.errors import DatasetInvalidError

if TYPE_CHECKING:
    from dragoman.datasets.dataset import Dataset
    from dragoman.reviewing.building import BuildWishes, Built
    from dragoman.reviewing.entries import Entry
    from dragoman.reviewing.queue import ReviewQueue
    from dragoman.settings import Settings

_ACTOR = "command line"
_LONGEST = 48

TENANT = click.option("--tenant", help="Only what was said of this tenant's sessions.")
FORMAT = click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group()
def feedback() -> None:
    """Review what people say of transcripts, translations and insights, and learn from it."""


@feedback.command("list")
@click.option(
    "--state",
    type=click.Choice(["open", "accepted", "rejected", "all"]),
    default="open",
    show_default=True,
    help="What became of it.",
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Only the first so many.")
@TENANT
@FORMAT
@DATA
def list_entries(state: str, limit: int, tenant: str | None, form: str, data: Path | None) -> None:
    """List what waits for a decision, what matters most first.

    It matters more the less sure the engine was, the worse it was rated, and the more wait that change the same words.
    Words of sessions are shown: this is for those who may read them.
    """
    from dragoman.reviewing.entries import told

    found = [entry for entry in _queue(data, tenant).entries() if state in ("all", entry.state)]
    if form == "json":
        print_json([told(entry) for entry in found[:limit]])
        return
    if not found:
        click.echo(f"Nothing is {state}." if state != "all" else "Nobody has said anything.")
        return
    rows = [
        (entry.record.feedback_id, f"{entry.impact.score:.2f}", entry.state, _about(entry), _shown(entry))
        for entry in found[:limit]
    ]
    print_table([("feedback", "impact", "state", "about", "says"), *rows])
    if len(found) > limit:
        click.secho(f"{len(found) - limit} more; see them with --limit.", err=True)


@feedback.command()
@click.argument("feedback_id")
@TENANT
@FORMAT
@DATA
def show(feedback_id: str, tenant: str | None, form: str, data: Path | None) -> None:
    """Show one entry with what was said before, what matters about it, and what became of it."""
    from dragoman.reviewing.entries import told

    entry = _queue(data, tenant).one(feedback_id)
    if form == "json":
        print_json(told(entry))
        return
    click.echo(f"{_about(entry)} of {entry.record.session_id}, {entry.state}")
    for before in entry.before:
        click.secho(f"  {before.text}", dim=True)
    if entry.was:
        click.echo(f"- {entry.was}")
    if entry.text is not None:
        click.echo(f"+ {entry.text or '(nobody said anything)'}")
    if entry.locale and entry.utterance and entry.locale != entry.utterance.locale:
        click.echo(f"language: {entry.utterance.locale} → {entry.locale}")
    if entry.record.said.kind == "rating":
        click.echo(f"rated {entry.record.said.rating} of 5")
    if entry.record.said.comment:
        click.echo(f"“{entry.record.said.comment}”")
    impact = entry.impact
    alike = f" ({impact.alike} of a kind)" if impact.alike > 1 else ""
    parts = f"doubt {impact.doubt:.2f}, dislike {impact.dislike:.2f}, many {impact.many:.2f}{alike}"
    click.echo(f"impact {impact.score:.2f}: {parts}")
    if entry.review and entry.review.reason:
        click.echo(f"rejected: {entry.review.reason}")


@feedback.command()
@click.argument("feedback_ids", nargs=-1, required=True)
@click.option("--text", help="How it should read, if not as it was suggested.")
@TENANT
@DATA
def accept(feedback_ids: tuple[str, ...], text: str | None, tenant: str | None, data: Path | None) -> None:
    """Accept how something should read."""
    if text is not None and len(feedback_ids) > 1:
        raise click.UsageError("--text is how one of them should read; name one.")
    queue = _queue(data, tenant)
    for feedback_id in feedback_ids:
        queue.accept(feedback_id, _ACTOR, text)
    click.secho(f"Accepted {counted(len(feedback_ids), 'entry').replace('entrys', 'entries')}.", err=True)


@feedback.command()
@click.argument("feedback_ids", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why, for whoever looks later.")
@TENANT
@DATA
def reject(feedback_ids: tuple[str, ...], reason: str, tenant: str | None, data: Path | None) -> None:
    """Reject something, and say why."""
    queue = _queue(data, tenant)
    for feedback_id in feedback_ids:
        queue.reject(feedback_id, _ACTOR, reason)
    click.secho(f"Rejected {counted(len(feedback_ids), 'entry').replace('entrys', 'entries')}.", err=True)


@feedback.command()
@click.argument("name")
@click.option("--consent", required=True, metavar="TEXT", help="By what right voices and texts are used.")
@click.option("--license", default="internal use", show_default=True, help="Under which license.")
@click.option("--avoid", multiple=True, metavar="DATASET", help="One more evaluation to stay out of; repeat.")
@click.option(
    "--test-share",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="Sessions that are measured on and never taught.",
)
@TENANT
@FORMAT
@DATA
def build(
    name: str,
    consent: str,
    license: str,
    avoid: tuple[str, ...],
    test_share: float,
    tenant: str | None,
    form: str,
    data: Path | None,
) -> None:
    """Make new versions from what was accepted: NAME, and NAME-polish and NAME-insight with examples.

    NAME holds the corrected utterances, cut from the audio that their sessions left (DRAGOMAN_KEEP_AUDIO): the split
    test is a regression set, train may be taught. A session is in one of them for ever. Nothing gets in that an
    evaluation holds; those that ship are always looked at. Examples are those that their step would accept.
    """
    from dragoman.settings import read_settings

    settings = read_settings(data=data)
    from dragoman.reviewing.building import BuildWishes

    avoided = (*_shipped(), *(open_named(reference, data) for reference in avoid))
    queue = _queue(data, tenant)
    wishes = BuildWishes(name, consent, license, test_share, avoided)
    built = asyncio.run(_build(settings, queue, wishes))
    _note(settings, built, tenant)
    if form == "json":
        print_json(
            {
                "datasets": [
                    {"dataset": identity(each), "is_new": new, "holds": summary(each)}
                    for each, new in zip(built.datasets, built.is_new, strict=True)
                ],
                "left_out": [asdict(each) for each in built.left_out],
            }
        )
        return
    for left_out in built.left_out:
        click.echo(f"{left_out.reason}  {left_out.item}: {left_out.why}")
    if not built.datasets:
        raise DatasetInvalidError(
            "Nothing was accepted that can be used; look with: dragoman feedback list --state all"
        )
    for each, new in zip(built.datasets, built.is_new, strict=True):
        click.secho(f"{'Kept' if new else 'Was there already'}: {summary(each)}.", err=True)
        click.echo(identity(each))
    _say_how_to_go_on(built)


async def _build(settings: "Settings", queue: "ReviewQueue", wishes: "BuildWishes") -> "Built":
    from dragoman.reviewing.building import build as make
    from dragoman.reviewing.sounds import SessionAudio
    from dragoman.steps import Steps
    from dragoman.storage import open_spool

    steps = Steps(settings)
    spool = await asyncio.to_thread(open_spool, settings)
    try:
        entries = await asyncio.to_thread(queue.entries)
        return await make(
            entries,
            store_of(settings),
            SessionAudio(spool),
            {"insight": steps.insight(), "polish": steps.polish()},
            wishes,
            await asyncio.to_thread(queue.subjects, entries),
        )
    finally:
        steps.close()
        await spool.close()


def _shipped() -> "tuple[Dataset, ...]":
    """Return the evaluations that ship."""
    from dragoman.datasets.dataset import read_dataset
    from dragoman.resources import flows_folder, samples_folder

    steps = (flows_folder() / step for step in ("insight", "answer", "polish"))
    return tuple(read_dataset(folder) for folder in (samples_folder() / "audio", samples_folder() / "orders", *steps))


def _say_how_to_go_on(built: "Built") -> None:
    for each in built.datasets:
        name = each.card.name
        if each.cases:
            warn(f"Choose shots:   dragoman data shots {name.rpartition('-')[2]} {name} -o .")
        elif any(item.split == "test" for item in each.recordings):
            warn(f"Measure on it:  dragoman evaluate {name} --split test -o evaluation/{name}")


def _note(settings: "Settings", built: "Built", tenant: str | None) -> None:
    """Say in the trail which versions were made of what people said."""
    trail = ledgers(settings.data).audit
    for each, new in zip(built.datasets, built.is_new, strict=True):
        if new:
            items = len(each.recordings) or len(each.cases)
            trail.add(tenant or "default", _ACTOR, "feedback.build", identity(each), {"items": items})


def _queue(data: Path | None, tenant: str | None) -> "ReviewQueue":
    engine = ledgers(data).engine
    from dragoman.reviewing.queue import ReviewQueue

    return ReviewQueue(engine, tenant)


def _about(entry: "Entry") -> str:
    said = entry.record.said
    where = f" {entry.locale}" if entry.locale else ""
    into = f" → {said.target}" if said.target else ""
    return f"{said.kind} of {said.part}{where}{into}"


def _shown(entry: "Entry") -> str:
    text = entry.text if entry.text is not None else entry.record.said.comment or entry.was
    flat = " ".join(text.split())
    return json.dumps(flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…", ensure_ascii=False)


feedback.add_command(propose)
feedback.add_command(reenter)
