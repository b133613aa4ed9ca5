"""``dragoman flows``: the LLM steps as services of their own."""

import click

from dragoman.domain.errors import DependencyMissingError


@click.group()
def flows() -> None:
    """Serve the LLM steps as Azure ML calls them."""


@flows.command()
@click.argument("flow", type=click.Choice(["insight", "answer"]))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="Port.")
def serve(flow: str, host: str, port: int) -> None:
    """Answer POST /score and GET /health for one FLOW, as the image of an Azure ML endpoint does.

    Nobody is asked who they are: on Azure ML the endpoint in front of it does that.
    """
    try:
        import uvicorn

        from dragoman.scoring import create_score_app
    except ImportError as error:
        raise DependencyMissingError(
            f"Serving needs {error.name}; install it with: pip install 'dragoman[serve]'"
        ) from error
    from dragoman.settings import read_settings

    app = create_score_app(flow, read_settings())
    click.echo(f"The flow '{flow}' listens on http://{host}:{port}/score; Ctrl+C stops it.", err=True)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
