"""Servers with one database and one container: a job that one of them took is done by another, and can be erased."""

import json
import signal
from pathlib import Path

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient

from tests.api.server import ServerProcess
from tests.api.test_jobs import submit, until
from tests.datasets.blob_emulator import ACCOUNT, KEY
from tests.e2e.test_replicas import shared as shared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_what_one_server_took_another_does_and_nothing_of_it_stays(tmp_path: Path, shared: dict[str, str]) -> None:
    with (
        ContainerClient.from_container_url(shared["spool"], AzureNamedKeyCredential(ACCOUNT, KEY)) as container,
        ServerProcess(tmp_path / "door", **shared, job_workers="0") as door,
    ):
        _, job = submit(door, subjects="anna")
        assert list(container.list_blob_names()) == [f"jobs/{job['job_id']}"]
        with ServerProcess(tmp_path / "worker", **shared) as worker:
            done = until(door, job, "completed", "failed")
            assert (done["state"], done["attempts"]) == ("completed", 1)
            worker.kill(signal.SIGTERM)
        assert list(container.list_blob_names()) == []
        assert door.get(f"/v1/transcripts/{done['session_id']}")[0] == 200
        _, waiting = submit(door, subjects="anna")
        assert list(container.list_blob_names()) == [f"jobs/{waiting['job_id']}"]
        status, body, _ = door.request("DELETE", "/v1/subjects/anna", None)
        assert (status, json.loads(body)["erased"]) == (200, {"jobs": 2, "sessions": 1})
        assert list(container.list_blob_names()) == []
        assert door.get(f"/v1/transcripts/{done['session_id']}")[0] == 410
        assert not list(tmp_path.rglob("j_*"))
