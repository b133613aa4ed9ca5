"""Data assets of a workspace: what is asked of it, and what its answers mean. Nothing leaves this machine."""

from pathlib import Path

import pytest

pytest.importorskip("azure.ai.ml")

from azure.ai.ml.entities import Data
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from dragoman.datasets.azureml import open_workspace, register
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.places import Workspace
from dragoman.domain.errors import DatasetRefusedError, SourceFailedError
from dragoman.engines.azure.access import Identity
from tests.datasets.test_pushing import CARD, made

pytestmark = pytest.mark.slow  # what it imports takes seconds


class Assets:
    """Plays the data assets of a workspace."""

    def __init__(self, error: Exception | None = None) -> None:
        self.assets: dict[tuple[str, str], Data] = {}
        self.error = error

    def get(self, name: str, version: str) -> Data:
        if (name, version) not in self.assets:
            raise ResourceNotFoundError("no such asset")
        return self.assets[name, version]

    def create_or_update(self, data: Data) -> Data:
        if self.error is not None:
            raise self.error
        self.assets[str(data.name), str(data.version)] = data
        return data


def calls(folder: Path) -> Dataset:
    return made(folder, CARD.model_copy(update={"name": "calls.2026", "title": "Calls", "parent": "0" * 12}))


def test_a_version_becomes_an_asset_with_the_card_as_tags(tmp_path: Path) -> None:
    workspace, dataset = Assets(), calls(tmp_path)
    reference = f"azureml:calls-2026:{dataset.version}"
    assert register(dataset, tmp_path, workspace) == (reference, True)
    asset = workspace.assets["calls-2026", dataset.version]
    assert (asset.type, asset.description) == ("uri_folder", "Calls")
    assert Path(str(asset.path)) == tmp_path
    assert asset.tags == {
        "license": "CC0-1.0",
        "consent": "machine",
        "provenance": "made for a test",
        "parent": "0" * 12,
        "schema": "recordings/1",
        "recordings": "1",
    }
    assert register(dataset, tmp_path, workspace) == (reference, False)


def test_without_papers_nothing_leaves(tmp_path: Path) -> None:
    with pytest.raises(DatasetRefusedError, match="--license"):
        register(made(tmp_path, CARD.model_copy(update={"license": None})), tmp_path, Assets())


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ClientAuthenticationError("no"), "az login"),
        (HttpResponseError("no"), "answers"),
    ],
)
def test_what_a_workspace_refuses_is_said(tmp_path: Path, error: Exception, says: str) -> None:
    with pytest.raises(SourceFailedError, match=says):
        register(calls(tmp_path), tmp_path, Assets(error))


def test_a_workspace_is_opened_without_asking_it_anything() -> None:
    assert open_workspace(Workspace("0" * 8, "group", "name"), Identity.CLI, None) is not None
