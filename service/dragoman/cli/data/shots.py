"""``dragoman data shots``: a curated few-shot set for a step."""

from pathlib import Path

import click

from dragoman.cli.data.wishes import counted, data_option, open_named, print_table, warn
from dragoman.domain.errors import DatasetInvalidError


@click.command()
@click.argument("step")
@click.argument("candidates")
@click.option("--count", "-n", type=click.IntRange(1, 100), default=4, show_default=True, help="How many to choose.")
@click.option("--avoid", multiple=True, metavar="DATASET", help="An evaluation that must not share a text; repeat.")
@click.option(
    "--output-dir",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder of STEP_examples.jsonl.  [default: this one]",
)
@click.option("--force", is_flag=True, help="Write over the file that is there.")
@data_option
def shots(
    step: str,
    candidates: str,
    count: int,
    avoid: tuple[str, ...],
    output_dir: Path,
    force: bool,
    data_folder: Path | None,
) -> None:
    """Choose examples for the prompt of a step.

    They come from CANDIDATES, a file or a dataset of cases, and are written to STEP_examples.jsonl. A candidate is a
    line of JSON with given and answer, and if it likes id, locales and reviewed. Those are chosen that together have
    every language and are unlike each other; one that shares a text with an evaluation is refused.
    """
    from dragoman.datasets.dataset import CASES
    from dragoman.datasets.shots import choose, read_candidates, refuse, write_examples

    file = output_dir / f"{step}_examples.jsonl"
    if not step.replace("_", "").isalnum():
        raise click.BadParameter(f"'{step}' is no name of a step", param_hint="STEP")
    if file.exists() and not force:
        raise DatasetInvalidError(f"'{file}' is there; look at it, and then write over it with --force.")
    given = Path(candidates)
    known = given if given.is_file() else open_named(candidates, data_folder).root / CASES
    examples = read_candidates(known, step)
    refused = refuse(examples, [open_named(reference, data_folder) for reference in avoid])
    for each in refused:
        warn(f"{each.id} is refused: it shares a text with {each.dataset}.")
    names = {each.id for each in refused}
    chosen = choose([example for example in examples if example.id not in names], count)
    write_examples(chosen, file)
    print_table([(example.id, ", ".join(example.locales)) for example in chosen])
    languages = sorted({locale for example in chosen for locale in example.locales})
    absent = sorted({locale for example in examples for locale in example.locales} - set(languages))
    if absent:
        warn(f"No example has {', '.join(absent)}; choose more, or write other candidates.")
    click.secho(f"Wrote {file}: {counted(len(chosen), 'example')}, {', '.join(languages)}.", err=True)
