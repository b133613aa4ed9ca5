"""``dragoman card``: what people should know of this service, from how it is set."""

from pathlib import Path

import click

from dragoman.cli.evaluate import needing_eval


@click.command()
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["markdown", "html", "json"]),
    help="Output format.  [default: as the file is called, else markdown]",
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--model", "-m", metavar="MODEL", help="Of this model instead of the configured one.")
def card(form: str | None, output: Path | None, model: str | None) -> None:
    """Write the transparency note and model card of this service.

    Engines and models with their digests, languages, prompts, figures that were measured with exactly these, known
    limits, where data goes and how long it is kept, what is decided about safety, who watches, and whom to ask
    (DRAGOMAN_CONTACT). It is made from the settings and files of this installation; no endpoint is called.
    """
    from dragoman.cards.rendering import as_html, as_markdown
    from dragoman.settings import read_settings

    with needing_eval():
        from dragoman.cards.gathering import gather
    made = gather(read_settings(model=model))
    suffix = output.suffix.lower() if output else ""
    chosen = form or {".html": "html", ".htm": "html", ".json": "json"}.get(suffix, "markdown")
    if chosen == "json":
        text = made.model_dump_json(indent=2) + "\n"
    else:
        text = as_html(made) if chosen == "html" else as_markdown(made)
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    click.secho(f"Wrote {output}.", err=True)
