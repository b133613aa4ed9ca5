"""The OpenAPI document says what the server does: schemathesis tries every operation of it, and finds nothing."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dragoman.store.scope import Scope
from tests.api.server import ServerProcess
from tests.api.test_tenants import made, uploaded

HERE: Final = Path(__file__).parent
EXAMPLES: Final = int(os.environ.get("EXAMPLES", "6"))
"""Per operation and phase; `make nightly` tries more."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400 + 40 * EXAMPLES)]


class Tried:
    """A server with a key, and schemathesis beside it."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.key = made(server.data, "tried", *(f"--scope={each}" for each in Scope))
        status, self.session_id, _ = uploaded(server, self.key)
        assert status == 200, self.session_id

    def document(self) -> dict[str, dict[str, dict[str, object]]]:
        return dict(json.loads(self.server.get("/openapi.json")[1]))

    def run(self, document: str, *options: str) -> tuple[int, str]:
        """Return the exit status and what schemathesis says."""
        command = [sys.executable, "-m", "schemathesis.cli", "--no-color", f"--config-file={HERE / 'document.toml'}"]
        given = {
            "SCHEMATHESIS_HOOKS": "tests.api.document_hooks",
            "KNOWN_SESSION": self.session_id,
            "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]),
        }
        done = subprocess.run(
            [*command, "run", document, f"--url={self.server.url}", f"--header=Authorization: {self.key}", *options],
            env={**os.environ, **given},
            cwd=self.server.data.parent,  # where it keeps its notes
            capture_output=True,
            text=True,
            timeout=390 + 40 * EXAMPLES,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    data = tmp_path_factory.mktemp("document") / "data"
    made(data, "first")
    # Sessions that nobody comes for must not fill the server.
    with ServerProcess(data, max_sessions="1000", resume_s="1") as server:
        yield Tried(server)


def test_schemathesis_finds_nothing_at_any_door(tried: Tried) -> None:
    status, told = tried.run(f"{tried.server.url}/openapi.json", f"--max-examples={EXAMPLES}")
    assert status == 0, told[-8_000:]
    operations = sum(len(methods) for methods in tried.document()["paths"].values())
    assert f"Tested: {operations}\n" in told, told[-2_000:]
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert re.search(rf"✅ {phase}\b", told), f"{phase}: {told[-2_000:]}"


def test_it_would_find_what_the_document_does_not_say(tried: Tried, tmp_path: Path) -> None:
    """Otherwise it finds nothing because it looks at nothing."""
    document = tried.document()
    job, search = document["paths"]["/v1/jobs/{job_id}"]["get"], document["paths"]["/v1/search"]["get"]
    assert isinstance(job, dict)
    del job["responses"]["404"]
    assert isinstance(search, dict)
    for parameter in search["parameters"]:
        parameter["schema"].pop("maxLength", None)
    document["paths"] = {
        "/v1/jobs/{job_id}": {"get": job},
        "/v1/search": {"get": search},
    }
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document))
    status, told = tried.run(str(path), "--phases=coverage,fuzzing", "--max-examples=20")
    assert status == 1
    assert "Undocumented status code" in told
