"""The ``dragoman`` command. Each subcommand's module loads when it is called or described, engines only when used."""

import os
import sys
from importlib import import_module
from typing import Final

import click

from dragoman import __version__
from dragoman.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from dragoman.domain.errors import (
    DragomanError,
    LanguageLimitError,
    LanguageUnsupportedError,
    LocaleError,
    SettingsError,
)

# Before NumPy is imported: its threads wait for work by turning in circles, and cost a live stream as much as Whisper.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_COMMANDS: Final = (
    *("demo", "transcribe", "ask", "serve", "listen", "emulator", "flows"),
    *("data", "evaluate", "gate", "compare", "sweep", "feedback"),
    *("release", "lifecycle"),
    *("keys", "monitor", "subjects", "audit", "doctor", "card"),
)


class _Commands(click.Group):
    """Imports a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"dragoman.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


_WRONG_WISHES: Final = (LanguageLimitError, LanguageUnsupportedError, LocaleError, SettingsError)
"""Errors that are the caller's: exit code 2, as for any wrong option."""

_HELP: Final = """Turn speech into text, know its language, and translate it.

\b
Start here:       dragoman demo
Your own file:    dragoman transcribe --model small talk.mp3
What is missing:  dragoman doctor

Exit codes: 0 success, 1 an input failed (the others are done), 2 wrong usage, 130 interrupted.
"""


@click.group(cls=_Commands, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dragoman")
def group() -> None:
    """Hold the commands."""


def main() -> None:
    """Run the command line; an error that has a cure is a line on stderr, not a traceback."""
    try:
        group.main(standalone_mode=False)
    except DragomanError as error:
        click.secho(f"Error: {error}", fg="red", err=True)
        click.secho(f"Code: {error.code}", dim=True, err=True)
        sys.exit(EXIT_USAGE if isinstance(error, _WRONG_WISHES) else EXIT_FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has left; without this, flushing it at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
