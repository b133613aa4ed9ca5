"""``dragoman data clean|split``: new versions made from others."""

from dataclasses import asdict
from pathlib import Path

import click

from dragoman.cli.data.wishes import (
    data_option,
    format_option,
    identity,
    keep_made,
    listen,
    open_named,
    print_json,
    summary,
    warn,
)

_SHARE = click.FloatRange(0, 1)


@click.command()
@click.argument("dataset")
@click.option("--min-ms", type=click.IntRange(0), default=300, show_default=True, help="Shortest to keep.")
@click.option("--max-ms", type=click.IntRange(1), help="Longest to keep.  [default: any]")
@click.option("--min-dbfs", type=float, default=-55.0, show_default=True, help="Quietest level (RMS) to keep.")
@click.option(
    "--max-silence", type=_SHARE, default=0.9, show_default=True, help="Largest share below -60 dBFS to keep."
)
@click.option("--min-speech", type=_SHARE, default=0.02, show_default=True, help="Least share of speech to keep.")
@click.option("--max-clipped", type=_SHARE, default=0.01, show_default=True, help="Largest share of clipped samples.")
@click.option("--min-snr", type=float, default=5.0, show_default=True, metavar="DB", help="Least signal to noise.")
@click.option("--same-sound/--no-same-sound", default=True, show_default=True, help="Leave out copies of a sound.")
@click.option("--same-text", is_flag=True, help="Leave out recordings in which the same is said as in another.")
@click.option("--keep-tag", "kept_tags", multiple=True, metavar="TAG", help="Keep what has this tag, whatever it is.")
@click.option("--dry-run", is_flag=True, help="Only say what would be left out.")
@format_option
@data_option
def clean(
    dataset: str,
    min_ms: int,
    max_ms: int | None,
    min_dbfs: float,
    max_silence: float,
    min_speech: float,
    max_clipped: float,
    min_snr: float,
    same_sound: bool,
    same_text: bool,
    kept_tags: tuple[str, ...],
    dry_run: bool,
    format: str,
    data_folder: Path | None,
) -> None:
    """Leave out what is broken, unusable or there twice.

    The rest is kept as a new version of DATASET. What is left out and why goes to standard output, and at last the
    reference of the new version.
    """
    from dragoman.datasets.cleaning import Rules, decide, without

    found = open_named(dataset, data_folder)
    rules = Rules(
        min_ms=min_ms,
        max_ms=max_ms,
        min_dbfs=min_dbfs,
        max_silence_share=max_silence,
        min_speech_share=min_speech,
        max_clipped_share=max_clipped,
        min_snr_db=min_snr,
        same_sound=same_sound,
        same_text=same_text,
        kept_tags=frozenset(kept_tags),
    )
    out = decide(found.recordings, listen(found), rules)
    made = without(found, out) if out else found
    if out and not dry_run:
        made = keep_made(made, data_folder)
    if format == "json":
        print_json({"from": identity(found), "to": identity(made), "left_out": [asdict(each) for each in out]})
    else:
        for each in out:
            click.echo(f"{each.why}  {each.id}: {each.detail}")
    verdict = f"{len(out)} of {len(found.recordings)} {'would be' if dry_run else 'are'} left out"
    click.secho(f"{verdict if out else 'Nothing is left out'}: {summary(made)}.", err=True)
    if format == "text" and not dry_run:
        click.echo(identity(made))


@click.command()
@click.argument("dataset")
@click.option(
    "--by",
    type=click.Choice(["subject", "speaker", "recording"]),
    default="subject",
    show_default=True,
    help="What must not be in two splits.",
)
@click.option(
    "--parts", default="train=0.8,dev=0.1,test=0.1", show_default=True, metavar="NAME=SHARE,…", help="Shares of audio."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed draws other splits.")
@data_option
def split(dataset: str, by: str, parts: str, seed: int, data_folder: Path | None) -> None:
    """Draw splits, and keep them as a new version.

    Whoever speaks stays in one split, every language is in each as far as that goes, and the same seed draws the
    same splits. What it came to goes to standard error, the reference of the new version to standard output.
    """
    from dragoman.datasets.leakage import find_leaks
    from dragoman.datasets.splitting import By, parse_parts
    from dragoman.datasets.splitting import split as draw

    wanted = parse_parts(parts)
    found = open_named(dataset, data_folder)
    made = keep_made(draw(found, By(by), wanted, seed), data_folder)
    for name in wanted:
        part = made.only(split=name)
        share = part.audio_ms / max(made.audio_ms, 1)
        click.secho(f"{name}: {share:.1%} of the audio, {summary(part)}", err=True)
    for problem in find_leaks(made):
        warn(problem.message)
    click.echo(identity(made))
