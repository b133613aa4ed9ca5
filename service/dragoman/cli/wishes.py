"""Options that the commands which hear audio share."""

from collections.abc import Callable
from typing import ParamSpec

import click

P = ParamSpec("P")


def tags(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Return a comma-separated option as its parts."""
    from dragoman.domain.language import split_tags

    return split_tags(value)


insight_option = click.option(
    "--insight", metavar="TAG", help="Say what follows (summary, action items and more), in this language."
)

polish_option = click.option("--polish", is_flag=True, help="Have finals read again; --phrases are words to expect.")


def recognition_options(command: Callable[P, None]) -> Callable[P, None]:
    """Add the options that make ``RecognitionOptions``."""
    for add in reversed(
        (
            click.option(
                "--phrases", callback=tags, metavar="WORDS", help="Words to expect, names above all, with commas."
            ),
            click.option("--speakers", is_flag=True, help="Say who speaks."),
            click.option("--dictation", is_flag=True, help="Punctuation is spoken."),
            click.option("--end-silence", type=int, metavar="MS", help="Silence that ends an utterance (100 to 5000)."),
        )
    ):
        command = add(command)
    return command
