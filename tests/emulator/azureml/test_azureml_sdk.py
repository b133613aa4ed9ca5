"""Azure ML's own client against the emulator: assets are uploaded, and what is deployed runs."""

from collections import Counter
from pathlib import Path

import pytest
from azure.ai.ml.entities import Model
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from tests.emulator.azureml.emulating import (
    AzureMl,
    deployed,
    deployment,
    endpoint,
    set_traffic,
    write_model,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:azure"),  # what azure-ai-ml asks of azure-storage-blob
]


def test_a_folder_is_registered_and_comes_back_as_it_was(azureml: AzureMl, tmp_path: Path) -> None:
    folder, client = write_model(tmp_path, "hello"), azureml.client()
    registered = client.models.create_or_update(Model(name="folder", path=str(folder)))
    assert registered.version == "1"
    assert client.models.create_or_update(Model(name="folder", path=str(folder))).version == "2"
    client.models.download("folder", "1", download_path=str(tmp_path / "down"))
    assert (tmp_path / "down" / "folder" / "words" / "word.txt").read_text() == "hello"
    large = Path("more") / "large.bin"
    assert (tmp_path / "down" / "folder" / "words" / large).read_bytes() == (folder / large).read_bytes()
    assert [model.version for model in client.models.list(name="folder")] == ["2", "1"]
    assert client.models.get("folder", label="latest").version == "2"
    with pytest.raises(ResourceNotFoundError):
        client.models.get("folder", "3")


def test_whoever_is_found_by_azure_identity_is_let_in(azureml: AzureMl, monkeypatch: pytest.MonkeyPatch) -> None:
    with DefaultAzureCredential() as credential:
        assert azureml.client(credential).workspaces.get("tests").location == "local"
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with ManagedIdentityCredential() as credential, pytest.raises(ClientAuthenticationError):
        azureml.client(credential).workspaces.get("tests")


def test_what_is_deployed_runs_and_traffic_is_split(azureml: AzureMl, tmp_path: Path) -> None:
    client = azureml.client()
    endpoint(client, "split")
    blue = deployed(client, deployment("blue", "split", tmp_path, "hello"))
    assert blue.provisioning_state == "Succeeded"
    deployed(client, deployment("green", "split", tmp_path, "hallo"))
    shown = set_traffic(client, "split", blue=90, green=10)
    assert shown.traffic == {"blue": 90, "green": 10}
    assert shown.scoring_uri == f"https://{azureml.address}/endpoints/split/score"

    key = client.online_endpoints.get_keys("split").primary_key
    answers = [azureml.score("split", {"n": n}, key) for n in range(20)]
    assert Counter(answer.json()["word"] for answer in answers) == {"hello": 18, "hallo": 2}
    assert Counter(answer.headers["azureml-model-deployment"] for answer in answers) == {"blue": 18, "green": 2}
    chosen = azureml.score("split", {}, key, azureml_model_deployment="green")
    assert (chosen.json()["word"], chosen.json()["colour"]) == ("hallo", "green")

    (tmp_path / "request.json").write_text('{"a": 1}')
    assert '"asked": {"a": 1}' in client.online_endpoints.invoke("split", request_file=str(tmp_path / "request.json"))
    assert "ready with hallo" in client.online_deployments.get_logs("green", "split", lines=50)
    assert [each.name for each in client.online_deployments.list("split")] == ["blue", "green"]
    assert "split" in [each.name for each in client.online_endpoints.list()]

    set_traffic(client, "split", blue=100)
    client.online_deployments.begin_delete("green", "split").result()
    assert [each.name for each in client.online_deployments.list("split")] == ["blue"]
    client.online_endpoints.begin_delete("split").result()
    with pytest.raises(ResourceNotFoundError):
        client.online_endpoints.get("split")
    assert azureml.score("split", {}, key).status_code == 404
