"""``dragoman serve``: the HTTP door on this machine."""

import click

from dragoman.domain.errors import DependencyMissingError


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8090, show_default=True, help="Port on 127.0.0.1.")
@click.option("--model", "-m", metavar="MODEL", help="micro (bundled), a folder, or a name such as small.")
def serve(port: int, model: str | None) -> None:
    """Transcribe files over HTTP, on this machine.

    There are no keys yet, so only this machine can connect. Try:

    curl -F file=@talk.mp3 -F translate=en http://127.0.0.1:8090/v1/transcripts
    """
    try:
        import uvicorn

        from dragoman.api.app import create_app
    except ImportError as error:
        raise DependencyMissingError(
            f"Serving needs {error.name}; install it with: pip install 'dragoman[serve]'"
        ) from error
    from dragoman.runtime import Runtime
    from dragoman.settings import read_settings

    uvicorn.run(create_app(Runtime(read_settings(model=model))), host="127.0.0.1", port=port, log_level="info")
