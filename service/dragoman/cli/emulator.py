"""``dragoman emulator``: Azure's own protocols on this machine."""

import contextlib
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dragoman.domain.errors import DependencyMissingError

if TYPE_CHECKING:
    from dragoman.emulator.faults import Faults

_HELP: Final = """Answer Azure's own SDKs, for tests of applications that are built on Azure.

A test double, as Azurite is for Storage: Speech (WebSocket and fast transcription), Translator, chat completions and
Content Safety, with local models and rules behind them. It is no replacement for the service. Point an SDK at it:

\b
SpeechConfig(endpoint="ws://127.0.0.1:8091", subscription="dragoman-emulator")

and make it misbehave, for example with the next two connections to Speech:

\b
curl -H 'content-type: application/json' http://127.0.0.1:8091/emulator/faults \\
  -d '[{"door": "speech", "status": 429, "times": 2}]'

With --azureml, Azure Machine Learning answers too, on a port of its own and over TLS: MLClient registers models,
environments and code, and what it deploys runs as processes of this machine (docs/azure-fidelity.md).
"""


@click.command(help=_HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8091, show_default=True, help="Port.")
@click.option("--model", "-m", metavar="MODEL", help="micro (bundled), a folder, or a name such as small.")
@click.option("--key", "keys", multiple=True, help="Subscription key to take. [default: dragoman-emulator]")
@click.option("--azureml", "azureml_port", type=click.IntRange(0, 65_535), help="Answer Azure ML on this port, by TLS.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="What Azure ML keeps, with its certificate; it goes on from there. [default: a new one, gone afterwards]",
)
@click.option(
    "--image",
    "images",
    metavar="PATTERN=COMMAND",
    multiple=True,
    help="What stands for a container image: 'registry/app:*=python app.py --port {port}'. [default: our flows' image]",
)
def emulator(
    host: str,
    port: int,
    model: str | None,
    keys: tuple[str, ...],
    azureml_port: int | None,
    folder: Path | None,
    images: tuple[str, ...],
) -> None:
    """Answer Azure's own SDKs."""
    try:
        from dragoman.emulator.admission import KEY
        from dragoman.emulator.app import create_emulator
        from dragoman.emulator.faults import Faults
        from dragoman.emulator.run import run
    except ImportError as error:
        raise DependencyMissingError(
            f"The emulator needs {error.name}; install it with: pip install 'dragoman[serve]'"
        ) from error
    from dragoman.runtime import Runtime
    from dragoman.settings import read_settings

    faults = Faults()
    app = create_emulator(Runtime(read_settings(model=model)), faults, frozenset(keys or (KEY,)))
    with contextlib.ExitStack() as stack:
        if azureml_port is not None:
            stack.enter_context(_azureml(host, azureml_port, folder, images, faults))
        run(app, host, port)


@contextlib.contextmanager
def _azureml(host: str, port: int, folder: Path | None, images: tuple[str, ...], faults: "Faults") -> Iterator[None]:
    """Answer Azure ML on a thread, and tell how clients find it."""
    from dragoman.emulator.admission import KEY
    from dragoman.emulator.azureml.app import create_azureml
    from dragoman.emulator.azureml.certificate import certificate
    from dragoman.emulator.azureml.identity import PATH
    from dragoman.emulator.azureml.launching import Images
    from dragoman.emulator.run import running

    commands = tuple(_image(each) for each in images)
    with tempfile.TemporaryDirectory(prefix="dragoman-azureml-") as scratch:
        home = (folder or Path(scratch)).resolve()
        shown = certificate(home / "tls", host)
        with running(create_azureml(home, Images(commands), faults), host, port, shown) as address:
            click.echo(f"export ARM_CLOUD_METADATA_URL=https://{address}/metadata/endpoints", err=True)
            click.echo(f"export REQUESTS_CA_BUNDLE={shown.authority}", err=True)
            click.echo(f"export IDENTITY_ENDPOINT=https://{address}{PATH} IDENTITY_HEADER={KEY}", err=True)
            yield


def _image(text: str) -> tuple[str, tuple[str, ...]]:
    pattern, parted, command = text.partition("=")
    if not parted or "{port}" not in command:
        raise click.BadParameter(f"'{text}' is no PATTERN=COMMAND with a {{port}} in it", param_hint="--image")
    return pattern, tuple(shlex.split(command))
