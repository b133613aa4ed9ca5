"""``dragoman ask``: a question about transcripts, answered with what was said."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK


@click.command()
@click.argument("question")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--language", "-l", default="en", show_default=True, metavar="TAG", help="Language of the answer.")
def ask(question: str, files: tuple[Path, ...], language: str) -> None:
    """Answer a QUESTION about transcripts, with the words that bear the answer out.

    FILES are transcripts as "dragoman transcribe --format json" writes them. Exit code 1: they do not say.
    """
    sys.exit(asyncio.run(_ask(question, files, language)))


async def _ask(question: str, files: Sequence[Path], language: str) -> int:
    from dragoman.domain.insight import Claim
    from dragoman.domain.language import parse_target
    from dragoman.pipeline.minutes import origin
    from dragoman.pipeline.recorded import conversation_of
    from dragoman.pipeline.transcript import read_transcript
    from dragoman.runtime import Runtime

    conversation = conversation_of([read_transcript(file) for file in files])
    with Runtime() as runtime:
        async with aclosing(runtime.steps.answer().stream(question, conversation, parse_target(language))) as told:
            async for item in told:
                if isinstance(item, Claim):
                    click.echo(f"{item.text}  [{', '.join(item.utterance_ids)}]")
                    continue
                for quote in item.quotes:
                    said = f"{quote.speaker}: {quote.text}" if quote.speaker else quote.text
                    click.secho(f"  {quote.utterance_id}  {said}", dim=True)
                click.secho(f"Answer ({origin(item)})", dim=True, err=True)
                if item.is_found:
                    return EXIT_OK
    click.echo("Not in the transcript.")
    return EXIT_FAILED
