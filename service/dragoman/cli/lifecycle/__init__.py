"""``dragoman lifecycle``: the loop of a release, once, on this machine."""

from pathlib import Path

import click

from dragoman.domain.errors import DependencyMissingError


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept, to look at afterwards. [default: a new one, gone afterwards]",
)
@click.option("--callers", type=click.IntRange(1, 64), default=6, show_default=True, help="Who call at once.")
def lifecycle(folder: Path | None, callers: int) -> None:
    """Release, promote, stop and roll back candidates, offline, with the commands that anybody would use.

    Azure ML is played by the emulator: what is deployed runs, and is called all the time. A first candidate goes live;
    a better one is mirrored and promoted; a worse one is stopped by the gate; and one that passes, and fails when it is
    used, is rolled back. Every figure is measured. Exit code 1 if it does not go like this.
    """
    try:
        from dragoman.cli.lifecycle.script import play
    except ImportError as error:
        raise DependencyMissingError(
            f"The loop needs {error.name}; install it with: pip install 'dragoman[aml,chat,eval,serve]'"
        ) from error
    play(folder, callers)
