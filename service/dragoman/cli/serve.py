"""``dragoman serve``: the HTTP and WebSocket door."""

from contextlib import closing
from pathlib import Path

import click

from dragoman.domain.errors import DependencyMissingError, SettingsError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; others need an API key.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8090, show_default=True, help="Port.")
@click.option("--model", "-m", metavar="MODEL", help="micro (bundled), a folder, or a name such as small.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for sessions and keys. [default: DRAGOMAN_DATA, or dragoman in the user's data folder]",
)
@click.option(
    "--max-sessions",
    type=click.IntRange(1),
    help="Live sessions at once. [default: what `dragoman doctor --calibrate` found, or 16]",
)
def serve(host: str, port: int, model: str | None, data: Path | None, max_sessions: int | None) -> None:
    """Transcribe streams and files for other programs.

    Open the address in a browser for live captions, or try:

    curl -F file=@talk.mp3 -F translate=en http://127.0.0.1:8090/v1/transcripts

    Without API keys only this machine is served; 'dragoman keys create NAME' makes one.
    """
    try:
        from dragoman.api.app import create_app
        from dragoman.api.run import run
        from dragoman.store.keys import KeyStore
    except ImportError as error:
        raise DependencyMissingError(
            f"Serving needs {error.name}; install it with: pip install 'dragoman[serve]'"
        ) from error
    from dragoman.calibration import calibrated
    from dragoman.runtime import Runtime
    from dragoman.settings import read_settings
    from dragoman.storage import database_password

    settings = calibrated(read_settings(model=model, data=data, max_sessions=max_sessions))
    with closing(KeyStore.open(settings.effective_database_url, database_password(settings))) as keys:
        has_keys = keys.any_active()
    if not has_keys and settings.entra_audience is None:
        if host not in ("127.0.0.1", "localhost", "::1"):
            raise SettingsError(
                f"There are no API keys, so only this machine may be served, not {host}. "
                "Make one first: dragoman keys create NAME; or let in tokens of Entra: DRAGOMAN_ENTRA_AUDIENCE."
            )
        click.echo(
            "There are no API keys, so only this machine is served; 'dragoman keys create NAME' makes one.", err=True
        )
    run(create_app(Runtime(settings)), host, port, settings.log_level)
