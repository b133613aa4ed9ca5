"""``dragoman listen``: a microphone, a file or a pipe, streamed to a server, and what it says as it says it."""

import asyncio
import sys
from pathlib import Path

import click

from dragoman.cli.wishes import insight_option, polish_option, recognition_options, tags
from dragoman.domain.errors import DependencyMissingError


@click.command()
@click.argument("source", default="microphone", metavar="[FILE | - | microphone]")
@click.option("--server", default="http://127.0.0.1:8090", show_default=True, metavar="URL", help="Where to stream to.")
@click.option("--key", envvar="DRAGOMAN_KEY", metavar="KEY", help="API key, if the server asks for one [DRAGOMAN_KEY].")
@click.option(
    "--languages", "-l", callback=tags, metavar="LOCALES", help="Candidates, for example en-US,de-DE. Default: all."
)
@click.option("--lid", type=click.Choice(["at-start", "continuous"]), default="continuous", show_default=True)
@click.option(
    "--translate", "-t", callback=tags, metavar="TAGS", help="Languages to translate into, for example en,fr."
)
@insight_option
@polish_option
@recognition_options
@click.option("--fast", is_flag=True, help="Send a file as fast as the server hears it, not as it was spoken.")
@click.option("--format", "-f", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
def listen(
    source: str,
    server: str,
    key: str | None,
    languages: tuple[str, ...] | None,
    lid: str,
    translate: tuple[str, ...] | None,
    insight: str | None,
    polish: bool,
    phrases: tuple[str, ...] | None,
    speakers: bool,
    dictation: bool,
    end_silence: int | None,
    fast: bool,
    format: str,
) -> None:
    """Stream audio to a server and show what is said while it is said.

    Without an argument the microphone is heard, until you press Ctrl+C; what was heard by then is still said. A lost
    connection is resumed without losing a word.
    """
    try:
        import websockets  # noqa: F401 - asked for here, so that what is missing is named before anything begins
    except ImportError as error:
        raise DependencyMissingError(
            f"Streaming needs {error.name}; install it with: pip install 'dragoman[client]'"
        ) from error
    from dragoman.cli.live import listen_to
    from dragoman.domain.language import LidMode
    from dragoman.domain.messages import SessionWishes
    from dragoman.domain.recognition import choose_recognition

    wishes = SessionWishes(
        languages=languages,
        lid=LidMode(lid),
        translate=translate or (),
        recognition=choose_recognition(phrases or (), speakers, dictation, end_silence),
        insight=insight,
        polish=polish,
        source=Path(source).name[:200],
    )
    sys.exit(asyncio.run(listen_to(source, server, key, wishes, fast=fast, as_text=format == "text")))
