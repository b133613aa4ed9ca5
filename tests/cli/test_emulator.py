import json
import os
import shlex
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.emulator.admission import KEY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "dragoman", "emulator", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr
        line = next(line for line in process.stderr if "listens" in line)
        yield line.split(" on ")[1].split(";")[0]
        process.terminate()


def asked(url: str, path: str, body: object = None, method: str | None = None, **headers: str) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_it_says_where_it_listens_and_translates(url: str) -> None:
    body = {"inputs": [{"text": "Buenos días.", "language": "es", "targets": [{"language": "en"}]}]}
    path = "/translate?api-version=2026-06-06"
    status, answer = asked(url, path, body, **{"Ocp-Apim-Subscription-Key": KEY})
    assert status == 200
    assert "good morning" in json.loads(answer)["value"][0]["translations"][0]["text"].lower()
    assert asked(url, path, body)[0] == 401


def test_it_misbehaves_when_it_is_told_to(url: str) -> None:
    assert asked(url, "/emulator/faults", [{"door": "translator", "status": 503}])[0] == 204
    path = "/translate?api-version=2026-06-06"
    body = {"inputs": [{"text": "Buenos días.", "language": "es", "targets": [{"language": "en"}]}]}
    key = {"Ocp-Apim-Subscription-Key": KEY}
    assert asked(url, path, body, **key)[0] == 503
    assert asked(url, path, body, **key)[0] == 200
    assert json.loads(asked(url, "/emulator/knocks")[1])["translator"] >= 2
    assert asked(url, "/emulator/faults", method="DELETE")[0] == 204


@pytest.mark.parametrize(
    "fault",
    [
        {"door": "speech"},
        {"door": "translator", "drop": True},
        {"door": "speech", "drop": True, "silent": True},
        {"door": "speech", "status": 200},
        {"door": "kitchen", "status": 500},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(url: str, fault: dict[str, object]) -> None:
    status, answer = asked(url, "/emulator/faults", [fault])
    assert status == 400
    assert json.loads(answer)["error"]["message"]


def test_azure_ml_is_told_where_it_is_and_shares_the_faults(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dragoman", "emulator", "--port", "0", "--azureml", "0", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr
        said = list[str]()
        while "on http://" not in (line := process.stderr.readline()):
            assert line, "it has ended"
            said += shlex.split(line)
        told = dict(each.split("=", 1) for each in said if "=" in each)
        assert told["REQUESTS_CA_BUNDLE"] == str(tmp_path / "tls" / "ca.pem")
        trust = ssl.create_default_context(cafile=told["REQUESTS_CA_BUNDLE"])
        with urllib.request.urlopen(told["ARM_CLOUD_METADATA_URL"], timeout=30, context=trust) as answer:
            (cloud,) = json.load(answer)
        identity = urllib.request.Request(
            f"{told['IDENTITY_ENDPOINT']}?resource={cloud['resourceManager']}",
            headers={"X-IDENTITY-HEADER": told["IDENTITY_HEADER"]},
        )
        with urllib.request.urlopen(identity, timeout=30, context=trust) as answer:
            token = json.load(answer)["access_token"]
        fault = [{"door": "management", "status": 429, "retry_after_s": 3}]
        doors = line.split(" on ")[1].split(";")[0]
        assert asked(doors, "/emulator/faults", fault)[0] == 204
        group = f"subscriptions/{uuid.uuid4()}/resourcegroups/rg"
        workspace = urllib.request.Request(
            f"{cloud['resourceManager']}{group}/providers/microsoft.machinelearningservices/workspaces/any",
            headers={"Authorization": f"Bearer {token}"},
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(workspace, timeout=30, context=trust)
        with caught.value as refused:
            assert (refused.code, refused.headers["Retry-After"]) == (429, "3")
        with urllib.request.urlopen(workspace, timeout=30, context=trust) as answer:
            assert json.load(answer)["name"] == "any"
        process.terminate()
        assert process.wait(30) in (0, -signal.SIGTERM)


def test_an_image_needs_a_port() -> None:
    command = [sys.executable, "-m", "dragoman", "emulator", "--port", "0", "--azureml", "0", "--image", "mine:*=run"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "PATTERN=COMMAND" in ended.stderr
