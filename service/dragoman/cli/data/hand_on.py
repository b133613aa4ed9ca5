"""``dragoman data push``: to a folder, to Blob Storage, to Azure Machine Learning."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.data.wishes import (
    blob_access_of,
    data_option,
    open_named,
    progress,
    settings_of,
    store_of,
    summary,
)
from dragoman.domain.errors import DependencyMissingError, SourceFailedError

if TYPE_CHECKING:
    from dragoman.datasets.dataset import Dataset
    from dragoman.settings import Settings

_AZUREML = "azureml:"


@click.command()
@click.argument("dataset")
@click.argument("destination")
@data_option
def push(dataset: str, destination: str, data_folder: Path | None) -> None:
    """Write DATASET to a folder, or to Azure.

    It lies under NAME/VERSION/ there, where add finds it again. DESTINATION is a folder, or a place in Blob
    Storage, https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX, or azureml: for a data asset of the workspace
    in DRAGOMAN_AZUREML_WORKSPACE. A dataset without license, consent or provenance stays here.
    """
    settings = settings_of(data_folder)
    found = open_named(dataset, data_folder)
    if destination == _AZUREML:
        where, is_new = _register(found, settings)
    else:
        is_new = _write(found, destination, settings)
        where = f"{destination.rstrip('/')}/{found.card.name}/{found.version}"
    click.secho(f"{'Wrote' if is_new else 'Was there already'}: {summary(found)}.", err=True)
    click.echo(where)


def _write(found: "Dataset", destination: str, settings: "Settings") -> bool:
    from dragoman.datasets.places import parse_place
    from dragoman.datasets.pushing import FolderDestination
    from dragoman.datasets.pushing import push as write

    place = parse_place(destination, blob_access_of(settings))
    with progress("Recordings", len(found.recordings)) as advance:
        if place is None:
            if "://" in destination:
                plain = destination.partition("?")[0]  # the rest may be a signature
                raise SourceFailedError(f"'{plain}' is no place in Blob Storage, and nothing else is written to.")
            return write(found, FolderDestination(Path(destination)), advance)
        try:
            from dragoman.datasets.blob import open_place
        except ImportError as error:
            raise DependencyMissingError(
                "Blob Storage needs the extra 'data': pip install 'dragoman[data]'."
            ) from error
        with open_place(place, blob_access_of(settings)) as blobs:
            return write(found, blobs, advance)


def _register(found: "Dataset", settings: "Settings") -> tuple[str, bool]:
    from dragoman.datasets.places import parse_workspace
    from dragoman.engines.azure.access import Identity

    workspace = parse_workspace(settings.azureml_workspace)
    try:
        from dragoman.datasets.azureml import open_workspace, register
    except ImportError as error:
        raise DependencyMissingError("Azure Machine Learning needs: pip install 'dragoman[aml]'.") from error
    assets = open_workspace(workspace, Identity(settings.azure_identity), settings.azure_client_id)
    # A version in the store is a folder with nothing else in it.
    held = store_of(settings).hold(found)
    return register(held, held.root, assets)
