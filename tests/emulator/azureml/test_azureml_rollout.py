"""Deployments that do not get well, that are replaced, and that are there again after a restart; our own image."""

import contextlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from azure.ai.ml.entities import ManagedOnlineDeployment, Model, OnlineRequestSettings, ProbeSettings
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from dragoman.emulator.azureml.launching import Images
from dragoman.emulator.faults import Fault
from tests.emulator.azureml.emulating import (
    AzureMl,
    Credential,
    deployed,
    deployment,
    emulating_azureml,
    endpoint,
    environment,
    set_traffic,
    until,
    write_code,
    write_model,
)
from tests.insight.talk import sample

pytestmark = pytest.mark.slow

TALKER = """
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        self.send_response(200); self.end_headers(); self.wfile.write(open(os.environ["TEXT"]).read().encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


ENDLESS = """
import http.server, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()

    def do_POST(self):
        self.send_response(200); self.send_header("Content-Type", "text/event-stream"); self.end_headers()
        while True:
            self.wfile.write(b"data: on and on\\n\\n"); time.sleep(0.05)

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

HOLDER = """
import subprocess, sys, time
from dragoman.emulator.azureml.leash import Leash

held = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
Leash().hold(held.pid)
print(held.pid, flush=True)
time.sleep(600)
"""


def test_whoever_has_no_valid_token_is_refused(azureml: AzureMl) -> None:
    for bad in (Credential(lifetime_s=-60), Credential(audience="https://storage.azure.com")):
        with pytest.raises(ClientAuthenticationError) as caught:
            azureml.client(bad).online_endpoints.get("nothing")
        assert caught.value.status_code == 401
    assert azureml.http.get(f"{azureml.arm}/onlineEndpoints").status_code == 401


def test_a_script_that_fails_at_its_start_fails_the_operation(azureml: AzureMl, tmp_path: Path) -> None:
    client = azureml.client()
    endpoint(client, "failing")
    broken = deployment("blue", "failing", tmp_path)
    write_code(tmp_path, "def init():\n    raise RuntimeError('no model today')\n\ndef run(body):\n    return body\n")
    with pytest.raises(HttpResponseError, match="User container has crashed") as caught:
        deployed(client, broken)
    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceNotReady"
    assert client.online_deployments.get("blue", "failing").provisioning_state == "Failed"
    assert "RuntimeError: no model today" in client.online_deployments.get_logs("blue", "failing", lines=50)
    client.online_endpoints.begin_delete("failing").result()


def test_what_is_told_to_fail_fails_once_and_what_ran_goes_on(azureml: AzureMl, tmp_path: Path) -> None:
    client = azureml.client()
    endpoint(client, "scripted")
    deployed(client, deployment("blue", "scripted", tmp_path, "old"))
    set_traffic(client, "scripted", blue=100)
    key = client.online_endpoints.get_keys("scripted").primary_key
    azureml.faults.add(Fault(door="provisioning", code="OutOfQuota", path="/deployments/blue"))
    with pytest.raises(HttpResponseError, match="OutOfQuota"):
        deployed(client, deployment("blue", "scripted", tmp_path, "new"))
    assert azureml.score("scripted", {}, key).json()["word"] == "old"

    again = deployed(client, deployment("blue", "scripted", tmp_path, "new", instance_count=2))
    assert (again.provisioning_state, again.instance_count) == ("Succeeded", 2)
    assert azureml.score("scripted", {}, key).json()["word"] == "new"
    assert client.online_deployments.get_logs("blue", "scripted", lines=50).count("ready with new") == 2
    azureml.faults.add(Fault(door="management", status=409, code="Conflict", path="/onlineEndpoints/scripted"))
    with pytest.raises(HttpResponseError, match="Conflict"):
        client.online_endpoints.begin_delete("scripted").result()
    client.online_endpoints.begin_delete("scripted").result()


def test_what_was_asked_of_the_old_is_answered_before_it_goes(azureml: AzureMl, tmp_path: Path) -> None:
    client, go = azureml.client(), tmp_path / "go"
    endpoint(client, "drained")
    patient = OnlineRequestSettings(request_timeout_ms=60_000, max_concurrent_requests_per_instance=4)
    deployed(client, deployment("blue", "drained", tmp_path, "old", request_settings=patient))
    set_traffic(client, "drained", blue=100)
    key = client.online_endpoints.get_keys("drained").primary_key
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(azureml.score, "drained", {"until": str(go), "told": str(tmp_path / "told")}, key)
        until(lambda: (tmp_path / "told").exists())
        replacing = client.online_deployments.begin_create_or_update(
            deployment("blue", "drained", tmp_path, "new", request_settings=patient)
        )
        until(lambda: azureml.score("drained", {}, key).json()["word"] == "new")
        assert not asked.done()
        go.touch()
        assert asked.result().json()["word"] == "old"
        replacing.result()
    client.online_endpoints.begin_delete("drained").result()


def test_what_is_deleted_while_it_starts_leaves_nothing(azureml: AzureMl, tmp_path: Path) -> None:
    client = azureml.client()
    endpoint(client, "hasty")
    starting = client.online_deployments.begin_create_or_update(deployment("blue", "hasty", tmp_path))
    client.online_endpoints.begin_delete("hasty").result()
    with pytest.raises(HttpResponseError, match="ResourceNotFound"):
        starting.result()
    assert running_below(azureml.folder / "instances" / "hasty") == []


def test_a_deployment_must_say_what_there_is(azureml: AzureMl, tmp_path: Path) -> None:
    client = azureml.client()
    endpoint(client, "missing")
    bare = ManagedOnlineDeployment(
        name="blue",
        endpoint_name="missing",
        environment="azureml:flow:1",
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    bare.model = f"{azureml.arm.partition(azureml.address)[2]}/models/none/versions/7"
    with pytest.raises(HttpResponseError, match="BadArgument"):
        deployed(client, bare)
    bare.instance_count = 1_000
    with pytest.raises(HttpResponseError, match="OutOfQuota"):
        deployed(client, bare)
    client.online_endpoints.begin_delete("missing").result()


def test_our_own_image_answers_in_whole_and_in_a_stream(azureml: AzureMl, tmp_path: Path) -> None:
    client = azureml.client()
    endpoint(client, "flows")
    answering = ManagedOnlineDeployment(
        name="blue",
        endpoint_name="flows",
        environment="azureml:flow:1",
        instance_type="Standard_DS3_v2",
        instance_count=1,
        environment_variables={"FLOW": "answer"},
    )
    deployed(client, answering)
    set_traffic(client, "flows", blue=100)
    key = client.online_endpoints.get_keys("flows").primary_key
    asked = {
        "conversation": sample("de").model_dump(mode="json"),
        "language": "en",
        "question": "How much would the repair cost?",
    }
    whole = azureml.score("flows", asked, key)
    assert whole.status_code == 200, whole.text
    streamed = azureml.score("flows", asked, key, accept="text/event-stream")
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert "event: answer" in streamed.text
    bad = azureml.score("flows", {"question": ""}, key)
    assert (bad.status_code, bad.headers["ms-azureml-model-error-statuscode"]) == (424, "400")
    client.online_endpoints.begin_delete("flows").result()


def test_a_stream_breaks_off_when_its_time_is_over(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS)
    images = Images((("endless:*", (sys.executable, str(tmp_path / "endless.py"), "{port}")),))
    with emulating_azureml(tmp_path / "kept", images) as azureml:
        client = azureml.client()
        client.environments.create_or_update(environment("endless:1"))
        endpoint(client, "endless")
        deployed(
            client,
            ManagedOnlineDeployment(
                name="blue",
                endpoint_name="endless",
                environment="azureml:flow:1",
                instance_type="Standard_DS3_v2",
                instance_count=1,
                request_settings=OnlineRequestSettings(request_timeout_ms=1_000),
            ),
        )
        set_traffic(client, "endless", blue=100)
        headers = {"Authorization": f"Bearer {client.online_endpoints.get_keys('endless').primary_key}"}
        url = f"https://{azureml.address}/endpoints/endless/score"
        for _ in range(3):  # twice what runs at once, and one: whoever leaves makes room
            with azureml.http.stream("POST", url, headers=headers) as answer:
                assert next(answer.iter_lines()) == "data: on and on"
        with pytest.raises(httpx2.RemoteProtocolError), azureml.http.stream("POST", url, headers=headers) as answer:
            list(answer.iter_lines())


def test_what_was_deployed_runs_again_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    (tmp_path / "talker.py").write_text(TALKER)
    images = Images((("talker:*", (sys.executable, str(tmp_path / "talker.py"), "{port}")),))
    with emulating_azureml(folder, images) as azureml:
        client = azureml.client()
        client.environments.create_or_update(environment("talker:1"))
        client.models.create_or_update(Model(name="said", version="1", path=str(write_model(tmp_path, "kept"))))
        endpoint(client, "again")
        deployed(
            client,
            ManagedOnlineDeployment(
                name="blue",
                endpoint_name="again",
                model="azureml:said:1",
                environment="azureml:flow:1",
                instance_type="Standard_DS3_v2",
                instance_count=1,
                readiness_probe=ProbeSettings(initial_delay=1, period=1, failure_threshold=60),
                environment_variables={"TEXT": "/var/azureml-app/azureml-models/said/1/words/word.txt"},
            ),
        )
        set_traffic(client, "again", blue=100)
        key = client.online_endpoints.get_keys("again").primary_key
        assert azureml.score("again", {}, key).text == "kept"
    with emulating_azureml(folder, images) as azureml:
        answer = azureml.score("again", {}, key)
        while answer.status_code == 404:  # it is started, and pytest's own limit ends what does not come
            answer = azureml.score("again", {}, key)
        assert answer.text == "kept"
        assert azureml.client().online_deployments.get("blue", "again").provisioning_state == "Succeeded"
        assert azureml.violations == []


def test_what_was_started_ends_with_the_emulator(tmp_path: Path) -> None:
    with emulating_azureml(tmp_path / "left") as azureml:
        client = azureml.client()
        client.environments.create_or_update(environment())
        endpoint(client, "left")
        deployed(client, deployment("blue", "left", tmp_path))
        assert "ready" in client.online_deployments.get_logs("blue", "left", lines=9)
        assert running_below(tmp_path) or not Path("/proc").is_dir()
    assert running_below(tmp_path) == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks Linux what runs")
def test_what_is_on_the_leash_ends_when_its_holder_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout
        held = int(holder.stdout.readline())
        assert lives(held)
        holder.kill()
    while lives(held):  # the watcher ends it, and pytest's own limit ends this
        time.sleep(0.01)


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"  # ended, and perhaps nobody has asked how


def running_below(folder: Path) -> list[Path]:
    """Return the processes that were given this folder; none where Linux is not there to tell."""
    found = list[Path]()
    for process in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"AML_APP_ROOT={folder}".encode() in process.read_bytes():
                found.append(process)
    return found
