"""``dragoman emulator``: Azure's own protocols on this machine."""

from typing import Final

import click

from dragoman.domain.errors import DependencyMissingError

_HELP: Final = """Answer Azure's own SDKs, for tests of applications that are built on Azure.

A test double, as Azurite is for Storage: Speech (WebSocket and fast transcription), Translator, chat completions and
Content Safety, with local models and rules behind them. It is no replacement for the service. Point an SDK at it:

\b
SpeechConfig(endpoint="ws://127.0.0.1:8091", subscription="dragoman-emulator")

and make it misbehave, for example with the next two connections to Speech:

\b
curl -H 'content-type: application/json' http://127.0.0.1:8091/emulator/faults \\
  -d '[{"door": "speech", "status": 429, "times": 2}]'
"""


@click.command(help=_HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8091, show_default=True, help="Port.")
@click.option("--model", "-m", metavar="MODEL", help="micro (bundled), a folder, or a name such as small.")
@click.option("--key", "keys", multiple=True, help="Subscription key to take. [default: dragoman-emulator]")
def emulator(host: str, port: int, model: str | None, keys: tuple[str, ...]) -> None:
    """Answer Azure's own SDKs."""
    try:
        from dragoman.emulator.admission import KEY
        from dragoman.emulator.app import create_emulator
        from dragoman.emulator.run import run
    except ImportError as error:
        raise DependencyMissingError(
            f"The emulator needs {error.name}; install it with: pip install 'dragoman[serve]'"
        ) from error
    from dragoman.runtime import Runtime
    from dragoman.settings import read_settings

    run(create_emulator(Runtime(read_settings(model=model)), keys=frozenset(keys or (KEY,))), host, port)
