"""Servers with one database and one container: a job that one of them took is done by another, and can be erased."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient

from tests.api.server import ServerProcess
from tests.api.test_jobs import submit, until
from tests.api.test_kept_audio import heard
from tests.api.test_subjects import streamed
from tests.api.test_tenants import refusal
from tests.calls import call
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


def test_kept_audio_leaves_the_container_with_its_person(tmp_path: Path, shared: dict[str, str]) -> None:
    said = call("es").pcm()[: 6 * 32_000]
    with (
        ContainerClient.from_container_url(shared["spool"], AzureNamedKeyCredential(ACCOUNT, KEY)) as container,
        ServerProcess(tmp_path / "one", **shared, keep_audio="true") as one,
    ):
        session_id = asyncio.run(streamed(one, ("anna",)))
        names = list(container.list_blob_names())
        assert b"".join(container.download_blob(name).readall() for name in names) == said
        assert heard(one, session_id) == said
        with ServerProcess(tmp_path / "two", **shared, keep_audio="true") as two:
            assert heard(two, session_id) == said
            assert two.request("DELETE", "/v1/subjects/anna", None)[0] == 200
        assert list(container.list_blob_names()) == []
        assert refusal(one.get(f"/v1/transcripts/{session_id}/audio")[1]) == "session_erased"
