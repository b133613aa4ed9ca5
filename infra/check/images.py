"""Dockerfiles and the compose file, judged by hadolint and by the schema of the Compose Specification."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.check.problem import Problem

_LIMIT_S: Final = 120


def check_images(project: Path) -> Iterator[Problem]:
    """Find what they would complain of; both come with the development environment."""
    for file in sorted((project / "service").glob("Dockerfile*")):
        yield from _run("hadolint", ["--no-color", str(file)], file.name, "image")
    compose = project / "docker-compose.yml"
    if compose.exists():
        schema = ["--builtin-schema", "vendor.compose-spec", "--output-format", "text", "--color", "never"]
        yield from _run("check-jsonschema", [*schema, str(compose)], compose.name, "compose")


def _run(program: str, arguments: list[str], where: str, code: str) -> Iterator[Problem]:
    beside = Path(sys.executable).with_name(program)
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        yield Problem(where, code, f"{program} is not installed; it comes with the development environment")
        return
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    if done.returncode:
        yield Problem(where, code, " ".join((done.stdout + done.stderr).split())[:600])
