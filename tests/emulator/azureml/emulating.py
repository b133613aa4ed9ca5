"""An emulated Azure ML for the tests of this folder, and the real clients pointed at it by environment variables."""

import asyncio
import os
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
import jwt
from azure.ai.ml import MLClient
from azure.ai.ml.entities import CodeConfiguration, Environment, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model
from azure.core.credentials import AccessToken, TokenCredential

from dragoman.emulator.admission import KEY
from dragoman.emulator.azureml.app import create_azureml
from dragoman.emulator.azureml.certificate import certificate
from dragoman.emulator.azureml.launching import Images
from dragoman.emulator.faults import Faults
from dragoman.emulator.run import running
from tests.emulator.recorder import Recorder

SUBSCRIPTION, GROUP, WORKSPACE = "00000000-0000-0000-0000-000000000000", "rg", "tests"

SCRIPT = """
import json, os, time
from pathlib import Path

def init():
    global word
    word = (Path(os.environ["AZUREML_MODEL_DIR"]) / "words" / "word.txt").read_text()
    print("ready with", word)

def run(body):
    asked = json.loads(body)
    if "fail" in asked:
        raise ValueError(asked["fail"])
    if "exit" in asked:
        os._exit(asked["exit"])
    if "told" in asked:
        Path(asked["told"]).touch()
    if "until" in asked:
        while not os.path.exists(asked["until"]):
            time.sleep(0.01)
    return {"word": word, "colour": os.environ.get("COLOUR"), "asked": asked}
"""


class Credential:
    """A ``TokenCredential`` whose tokens are JWTs, as those of azure-identity are."""

    def __init__(self, lifetime_s: int = 3_600, audience: str | None = None) -> None:
        self._lifetime_s = lifetime_s
        self._audience = audience

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        expires = int(time.time()) + self._lifetime_s
        audience = self._audience or scopes[0].removesuffix("/.default")
        return AccessToken(jwt.encode({"aud": audience, "exp": expires}, "k" * 32), expires)


@dataclass
class AzureMl:
    """A running one. ``violations`` and ``warnings`` are what the specification says to its exchanges."""

    address: str
    folder: Path
    authority: Path
    faults: Faults
    violations: list[str]
    warnings: list[str]
    http: httpx2.Client

    @property
    def arm(self) -> str:
        return (
            f"https://{self.address}/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
        )

    def client(self, credential: TokenCredential | None = None) -> MLClient:
        return MLClient(credential or Credential(), SUBSCRIPTION, GROUP, WORKSPACE, show_progress=False)

    def score(self, endpoint: str, body: object, key: str, **headers: str) -> httpx2.Response:
        return self.http.post(
            f"https://{self.address}/endpoints/{endpoint}/score",
            json=body,
            headers={"Authorization": f"Bearer {key}"}
            | {name.replace("_", "-"): each for name, each in headers.items()},
        )


@contextmanager
def emulating_azureml(folder: Path, images: Images | None = None) -> Iterator[AzureMl]:
    """Run one on a folder; while it runs, the environment points azure-ai-ml at it, as a user would."""
    faults, violations, warnings = Faults(), list[str](), list[str]()
    shown = certificate(folder / "tls")
    app = create_azureml(folder, images, faults)
    app.add_middleware(Recorder, violations=violations, warnings=warnings)
    with running(app, tls=shown) as address, mock.patch.dict(os.environ):
        os.environ.pop("AZUREML_CURRENT_CLOUD", None)  # the SDK sets it, and prefers it to where we point
        os.environ["ARM_CLOUD_METADATA_URL"] = f"https://{address}/metadata/endpoints"
        os.environ["REQUESTS_CA_BUNDLE"] = str(shown.authority)
        os.environ["IDENTITY_ENDPOINT"] = f"https://{address}/identity/token"
        os.environ["IDENTITY_HEADER"] = KEY
        trust = ssl.create_default_context(cafile=shown.authority)
        trust.verify_flags |= ssl.VERIFY_X509_STRICT  # as every client is from Python 3.13 on
        with httpx2.Client(verify=trust, timeout=60) as http:
            yield AzureMl(address, folder, shown.authority, faults, violations, warnings, http)


def write_model(folder: Path, word: str) -> Path:
    """Return a folder that holds a model: a word."""
    made = folder / "words"
    (made / "more").mkdir(parents=True, exist_ok=True)
    (made / "word.txt").write_text(word)
    (made / "more" / "large.bin").write_bytes(bytes(range(256)) * 20_000)
    return made


def write_code(folder: Path, script: str = SCRIPT) -> Path:
    """Return a folder that holds an entry script."""
    made = folder / "scoring"
    made.mkdir(parents=True, exist_ok=True)
    (made / "score.py").write_text(script)
    return made


def environment(image: str = "example/flow:1") -> Environment:
    route = {"port": 8080, "path": "/health"}
    return Environment(
        name="flow",
        image=image,
        inference_config={
            "liveness_route": route,
            "readiness_route": route,
            "scoring_route": {"port": 8080, "path": "/score"},
        },
    )


def endpoint(client: MLClient, name: str, auth_mode: str = "key") -> ManagedOnlineEndpoint:
    return client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name=name, auth_mode=auth_mode)
    ).result()


def deployment(name: str, of: str, folder: Path, word: str = "hello", **more: Any) -> ManagedOnlineDeployment:
    """Return a deployment of the script, with a model of its own."""
    return ManagedOnlineDeployment(
        name=name,
        endpoint_name=of,
        model=Model(name=f"model-{name}", path=str(write_model(folder / name, word))),
        code_configuration=CodeConfiguration(code=str(write_code(folder)), scoring_script="score.py"),
        environment="azureml:flow:1",
        instance_type="Standard_DS3_v2",
        instance_count=more.pop("instance_count", 1),
        environment_variables={"COLOUR": name},
        **more,
    )


def deployed(client: MLClient, made: ManagedOnlineDeployment) -> ManagedOnlineDeployment:
    return client.online_deployments.begin_create_or_update(made).result()


def set_traffic(client: MLClient, name: str, **traffic: int) -> ManagedOnlineEndpoint:
    found = client.online_endpoints.get(name)
    found.traffic = traffic
    return client.online_endpoints.begin_create_or_update(found).result()


def until(happens: Callable[[], bool]) -> None:
    """Wait for something that happens soon."""

    async def wait() -> None:
        while not happens():  # noqa: ASYNC110 - what is asked is another process
            await asyncio.sleep(0.02)

    asyncio.run(asyncio.wait_for(wait(), 60))
