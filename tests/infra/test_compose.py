"""``docker-compose.yml`` without an engine: its environments on a real PostgreSQL, Azurite and the emulator."""

import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import yaml
from click.testing import CliRunner

from dragoman.cli.main import group
from dragoman.client import stream_blocking
from dragoman.domain.messages import SessionWishes
from dragoman.settings import Settings
from tests.api.server import ServerProcess
from tests.datasets.blob_emulator import azurite
from tests.emulated import Emulator
from tests.infra.dockerfile import Environment, stages
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = cast("dict[str, dict[str, object]]", COMPOSE["services"])
OURS = [name for name, service in SERVICES.items() if service.get("image") == "dragoman"]


def _environment(name: str) -> Environment:
    return {key: str(value) for key, value in cast("Environment", SERVICES[name].get("environment", {})).items()}


@pytest.mark.parametrize("name", OURS)
def test_what_is_set_is_read(name: str) -> None:
    variables = {variable for variable in _environment(name) if variable.startswith("DRAGOMAN_")}
    assert variables <= {f"DRAGOMAN_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize("name", OURS)
def test_what_is_run_is_there(name: str) -> None:
    service = stages(ROOT / "service" / "Dockerfile")["service"]
    words = cast("list[str]", SERVICES[name].get("command", service.words("CMD")))
    if "entrypoint" not in SERVICES[name]:
        done = CliRunner().invoke(group, [*words, "--help"])  # what is not known is refused before help is given
        assert done.exit_code == 0, done.output


def test_nothing_is_open_to_others_and_nobody_may_write() -> None:
    for name, service in SERVICES.items():
        assert all(str(port).startswith("127.0.0.1:") for port in cast("list[str]", service.get("ports", [])))
        if name in OURS:
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]


@pytest.fixture
def environment(postgres: PostgresServer, emulator: Emulator, tmp_path: Path) -> Iterator[Environment]:
    """What compose sets for the service, with what answers here in the place of other containers."""
    declared = _environment("service")
    with postgres.database() as database, azurite(tmp_path) as storage:
        yield declared | {
            name: value.replace("postgresql+psycopg://dragoman:dragoman@database/dragoman", postgres.url(database))
            .replace("http://storage:10000/devstoreaccount1", storage)
            .replace("http://emulator:8091", emulator.url)
            for name, value in declared.items()
        }


@pytest.mark.slow
def test_a_call_goes_through_all_of_it(environment: Environment, tmp_path: Path) -> None:
    everything = os.environ | environment
    script = cast("list[str]", SERVICES["container"]["entrypoint"])
    for _ in range(2):  # it is run at every start
        subprocess.run([sys.executable, *script[1:]], env=everything, check=True, timeout=60)
    command = [sys.executable, "-m", "dragoman", *cast("list[str]", SERVICES["key"]["command"])]
    made = subprocess.run(command, env=everything, check=True, timeout=60, capture_output=True, text=True)
    settings = {name.removeprefix("DRAGOMAN_").lower(): value for name, value in environment.items()}
    with (
        ServerProcess(tmp_path / "data", **settings) as server,
        wave.open(str(ROOT / "samples" / "audio" / "de_call.wav")) as call,
    ):
        ready = json.loads(server.get("/readyz")[1])
        assert ready["transcription"]["engine"].startswith("azure")
        sound = call.readframes(16_000 * 12)
        pieces = (sound[at : at + 3_200] for at in range(0, len(sound), 3_200))
        wishes = SessionWishes(languages=("de-DE",), translate=("en",))
        events = list(stream_blocking(server.url, pieces, wishes, key=made.stdout.strip()))
        server.kill(signal.SIGTERM)  # so that it hangs up on the emulator
    started, ended = events[0], events[-1]
    assert started.type == "session.started"
    assert ended.type == "session.ended"
    assert ended.ledger.accepted_samples == ended.ledger.final_samples == len(sound) // 2
    engines = {event.engine for event in events if event.type == "transcript.final"}
    assert engines == {"azure"}
    assert any(event.type == "translation.final" for event in events)
