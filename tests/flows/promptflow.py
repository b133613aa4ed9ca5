"""Prompt Flow in its own environment, without a network, leaving nothing behind."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from dragoman.resources import flows_folder

ROOT: Final = Path(__file__).parents[2]
PF: Final = ROOT / ".venv-flows" / "bin" / "pf"
_PATIENCE_S: Final = 180


@dataclass(frozen=True)
class PromptFlow:
    """Runs ``pf`` with a home and flows of its own, under ``folder``."""

    folder: Path

    def __post_init__(self) -> None:
        home = self.folder / "home"
        home.mkdir()
        shutil.copy(flows_folder() / "pf.yaml", home)
        shutil.copytree(
            flows_folder(), self.folder / "flows", ignore=shutil.ignore_patterns("__pycache__", ".promptflow")
        )

    def flow(self, name: str) -> Path:
        """Return the folder of a flow."""
        return self.folder / "flows" / name

    def __call__(self, *arguments: object) -> str:
        """Run a command that must succeed; return what it prints."""
        command = [*_without_network(), str(PF), *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def outputs(self, run: str) -> list[dict[str, Any]]:
        """Return what a batch run gave, line by line."""
        lines = (self.folder / "home" / ".runs" / run / "flow_outputs" / "output.jsonl").read_text().splitlines()
        return sorted(map(json.loads, lines), key=lambda line: line["line_number"])

    def files(self) -> set[str]:
        """Return the files that lie beside the flows."""
        found = (path for path in (self.folder / "flows").rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)) for path in found if "__pycache__" not in path.parts}

    def leftovers(self) -> list[Path]:
        """Return the processes that still run with our home (where the system tells)."""
        return [each for each in Path("/proc").glob("[0-9]*") if str(self.folder / "home").encode() in _told(each)]

    def _environment(self) -> Mapping[str, str]:
        lines = (flows_folder() / "pf.env").read_text().split()
        told = dict(line.split("=", 1) for line in lines)
        nowhere = "http://127.0.0.1:9"
        return {
            **os.environ,
            **told,
            "PF_HOME_DIRECTORY": str(self.folder / "home"),
            "HTTP_PROXY": nowhere,
            "HTTPS_PROXY": nowhere,
        }


def installed() -> None:
    """Skip the test where the environment is not there."""
    if not PF.exists():
        pytest.skip("Prompt Flow's environment is not there: make flows")


def _without_network() -> list[str]:
    """Return what goes before a command that must not reach anything, where the system lets us."""
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [unshare, "-n"]
    return []


def _told(process: Path) -> bytes:
    """Return the environment of a process, if it may be read."""
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""
