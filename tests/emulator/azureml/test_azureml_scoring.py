"""The front door of endpoints: who may score, who answers, what is too much, and what is remembered of it."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import DataCollector, DeploymentCollection, OnlineRequestSettings, RequestLogging
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContainerClient

from dragoman.emulator.azureml.cloud import container_of
from dragoman.emulator.faults import Fault
from tests.emulator.azureml.emulating import (
    AzureMl,
    Credential,
    deployed,
    deployment,
    endpoint,
    set_traffic,
    until,
)

pytestmark = pytest.mark.slow

NAME = "scored"


@dataclass
class Scored:
    """An endpoint with ``blue``, which gets all traffic, and ``green``, which gets copies when a test says so."""

    azureml: AzureMl
    client: MLClient
    key: str

    def ask(self, body: object, **headers: str) -> Any:
        return self.azureml.score(NAME, body, self.key, **headers)

    def metrics(self, of: str, names: str, **query: str) -> dict[str, Any]:
        asked = {"metricnames": names, "interval": "PT1H", "aggregation": "total,average,count", **query}
        answer = self.azureml.http.get(
            f"{self.azureml.arm}/onlineEndpoints/{NAME}{of}/providers/microsoft.insights/metrics",
            params={"api-version": "2023-10-01"} | asked,
            headers={"Authorization": "Bearer token"},
        )
        assert answer.status_code == 200, answer.text
        return {each["name"]["value"]: each["timeseries"] for each in answer.json()["value"]}

    def total(self, of: str = "", **query: str) -> int:
        series = self.metrics(of, "RequestsPerMinute", **query)["RequestsPerMinute"]
        return sum(point["total"] for one in series for point in one["data"])


@pytest.fixture(scope="module")
def made(running_azureml: AzureMl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scored]:
    client, folder = running_azureml.client(), tmp_path_factory.mktemp("scored")
    endpoint(client, NAME)
    limits = OnlineRequestSettings(request_timeout_ms=1_000, max_concurrent_requests_per_instance=1)
    collector = DataCollector(
        collections={name: DeploymentCollection(enabled="true") for name in ("request", "response")},
        request_logging=RequestLogging(capture_headers=["X-Tenant"]),
    )
    deployed(client, deployment("blue", NAME, folder, request_settings=limits))
    patient = OnlineRequestSettings(request_timeout_ms=60_000)
    deployed(client, deployment("green", NAME, folder, data_collector=collector, request_settings=patient))
    set_traffic(client, NAME, blue=100)
    yield Scored(running_azureml, client, client.online_endpoints.get_keys(NAME).primary_key)
    client.online_endpoints.begin_delete(NAME).result()


@pytest.fixture
def scored(made: Scored, azureml: AzureMl) -> Scored:
    assert made.azureml is azureml
    return made


def test_who_has_no_key_may_not_score(scored: Scored) -> None:
    assert scored.azureml.score(NAME, {}, "wrong").status_code == 401
    assert scored.ask({}).status_code == 200
    scored.client.online_endpoints.begin_regenerate_keys(NAME, key_type="primary").result()
    assert scored.ask({}).status_code == 401
    scored.key = scored.client.online_endpoints.get_keys(NAME).primary_key
    assert scored.ask({}).status_code == 200


def test_tokens_of_azure_ml_open_their_endpoint_only(azureml: AzureMl) -> None:
    client = azureml.client()
    for name in ("tokens-one", "tokens-two"):
        endpoint(client, name, auth_mode="aml_token")
    token = client.online_endpoints.get_keys("tokens-one")
    assert token.expiry_time_utc > time.time()
    assert azureml.score("tokens-one", {}, token.access_token).status_code == 404  # in, and nothing deployed
    assert azureml.score("tokens-two", {}, token.access_token).status_code == 401


def test_tokens_of_entra_must_be_for_azure_ml(azureml: AzureMl) -> None:
    client = azureml.client()
    assert endpoint(client, "entra", auth_mode="aad_token").auth_mode == "aad_token"
    token = client.online_endpoints.get_keys("entra").access_token
    assert azureml.score("entra", {}, token).status_code == 404
    for bad in (Credential(audience="https://storage.azure.com"), Credential(lifetime_s=-1)):
        assert azureml.score("entra", {}, bad.get_token("https://ml.azure.com/.default").token).status_code == 401


def test_an_error_of_the_model_is_424_and_says_which(scored: Scored) -> None:
    answer = scored.ask({"fail": "no such tongue"})
    assert answer.status_code == 424
    assert answer.headers["ms-azureml-model-error-statuscode"] == "500"
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert "no such tongue" in answer.text
    assert "ValueError: no such tongue" in scored.client.online_deployments.get_logs("blue", NAME, lines=200)


def test_a_model_that_takes_too_long_is_408(scored: Scored, tmp_path: Path) -> None:
    answer = scored.ask({"until": str(tmp_path / "go")})
    (tmp_path / "go").touch()
    assert answer.status_code == 408


def test_beyond_twice_what_runs_at_once_it_is_429(scored: Scored, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(scored.ask, {"until": str(go)}, azureml_model_deployment="green") for _ in range(3)]
        first = next(as_completed(asked)).result()  # one runs and one waits, until the third is told
        go.touch()
        assert first.status_code == 429
        assert sorted(each.result().status_code for each in asked) == [200, 200, 429]
    assert scored.ask({}, azureml_model_deployment="green").status_code == 200


def test_a_container_that_dies_is_started_again(scored: Scored) -> None:
    assert scored.ask({"exit": 3}).status_code == 424
    until(lambda: scored.ask({}).status_code == 200)
    assert "ended with exit code 3; it is started again" in scored.client.online_deployments.get_logs("blue", NAME, 200)


def test_what_is_not_there_is_404(scored: Scored) -> None:
    assert scored.ask({}, azureml_model_deployment="red").status_code == 404
    assert scored.azureml.score("nowhere", {}, scored.key).status_code == 404
    other = scored.azureml.http.post(
        f"https://{scored.azureml.address}/endpoints/{NAME}/other", headers={"Authorization": f"Bearer {scored.key}"}
    )
    assert other.status_code == 404


def test_scripted_faults_happen_at_the_front_door(scored: Scored) -> None:
    scored.azureml.faults.add(Fault(door="endpoint", status=503, retry_after_s=7, path=f"/{NAME}/"))
    answer = scored.ask({})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert scored.ask({}).status_code == 200


def test_half_of_the_traffic_is_copied_collected_and_counted(scored: Scored) -> None:
    live = scored.client.online_endpoints.get(NAME)
    live.traffic, live.mirror_traffic = {"blue": 100}, {"green": 50}
    shown = scored.client.online_endpoints.begin_create_or_update(live).result()
    assert shown.mirror_traffic == {"green": 50}
    before, copied = scored.total(), scored.total("/deployments/green")
    for n in range(8):
        answer = scored.ask({"copied": n}, x_tenant="north", x_request_id=f"copied-{n}")
        assert answer.json()["colour"] == "blue"  # the copies' answers are seen by nobody
    until(lambda: scored.total("/deployments/green") == copied + 4)
    assert scored.total() == before + 8

    records = collected(scored, "green", "request", lambda record: "copied" in record["data"])
    assert len(records) == 4
    assert records[0]["headers"] == {"X-Tenant": "north"}
    assert records[0]["source"].endswith(f"/onlineEndpoints/{NAME}/deployments/green")
    assert (records[0]["type"], records[0]["path"], records[0]["method"]) == (
        "azureml.inference.request",
        "/score",
        "POST",
    )
    ids = {record["xrequestid"] for record in records}
    answers = collected(scored, "green", "response", lambda record: record["xrequestid"] in ids)
    assert [record["data"]["colour"] for record in answers] == ["green"] * 4
    assert collected(scored, "blue", "request", lambda record: True) == []  # it has no data collector
    live.mirror_traffic = {}
    scored.client.online_endpoints.begin_create_or_update(live).result()


def test_metrics_tell_deployments_and_statuses_apart(scored: Scored) -> None:
    before = scored.total(**{"$filter": "deployment eq 'blue' and statusCodeClass eq '4xx'"})
    for _ in range(3):
        scored.ask({"fail": "x"})
    assert scored.total(**{"$filter": "deployment eq 'blue' and statusCodeClass eq '4xx'"}) == before + 3
    split = scored.metrics("", "RequestsPerMinute", **{"$filter": "deployment eq '*' and modelStatusCode eq '500'"})
    assert [[label["value"] for label in one["metadatavalues"]] for one in split["RequestsPerMinute"]] == [["blue"]]
    told = scored.metrics("", "RequestLatency,RequestLatency_P50,RequestLatency_P99")
    (last,) = [point for point in told["RequestLatency"][0]["data"] if point.get("count")][-1:]
    assert 0 < last["average"] < 60_000
    p50, p99 = (told[f"RequestLatency_{name}"][0]["data"][-1]["average"] for name in ("P50", "P99"))
    assert p50 <= p99


def test_traffic_that_cannot_be_is_refused(scored: Scored) -> None:
    for traffic, mirrored in (({"blue": 90}, {}), ({"red": 100}, {}), ({"blue": 100}, {"green": 51})):
        asked = scored.client.online_endpoints.get(NAME)
        asked.traffic, asked.mirror_traffic = traffic, mirrored
        with pytest.raises(HttpResponseError) as caught:
            scored.client.online_endpoints.begin_create_or_update(asked).result()
        assert caught.value.status_code == 400
    with pytest.raises(HttpResponseError, match="gets traffic"):
        scored.client.online_deployments.begin_delete("blue", NAME).result()


def collected(scored: Scored, of: str, name: str, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return the records of a collection, read as anybody reads them: with Azure's own client and a token."""
    arm = scored.azureml.arm.partition(scored.azureml.address)[2]
    url = f"https://{scored.azureml.address}/dragoman.blob.emulator/{container_of(arm)}"
    with ContainerClient.from_container_url(url, credential=Credential(audience="https://storage.azure.com")) as store:
        lines = [
            json.loads(line)
            for blob in store.list_blobs(name_starts_with=f"modelDataCollector/{NAME}/{of}/{name}/")
            for line in store.download_blob(blob.name).readall().splitlines()
        ]
    return [record for record in lines if wanted(record)]
