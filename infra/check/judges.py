"""Who judges the types of templates: Bicep's own compiler and linter, or a type-aware checker that a variable names."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.check.problem import Problem

CHECKER: Final = "DRAGOMAN_BICEPCHECK"
"""Folder of a checker whose ``check.py`` takes a root and prints ``file:line:column severity code message``."""

_LIMIT_S: Final = 300


def judge(folder: Path) -> Iterator[Problem]:
    """Find what is wrong with the types of every root: ``main.bicep`` and, with the compiler, files of parameters."""
    if program := shutil.which("bicep"):
        yield from _bicep(program, folder)
    elif checker := os.environ.get(CHECKER):
        yield from _checker(Path(checker) / "check.py", folder)
    else:
        message = f"nobody judges types: put the CLI 'bicep' on the path, or set {CHECKER} to a checker's folder"
        yield Problem(folder.name, "no-judge", message)


def _bicep(program: str, folder: Path) -> Iterator[Problem]:
    for root in sorted(folder.glob("*.bicep")):
        yield from _said([program, "build", "--stdout", str(root)], root)
        lint = subprocess.run(
            [program, "lint", "--diagnostics-format", "sarif", str(root)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )
        for result in json.loads(lint.stdout or '{"runs": [{"results": []}]}')["runs"][0]["results"]:
            place = result["locations"][0]["physicalLocation"]
            where = f"{Path(place['artifactLocation']['uri']).name}:{place['region']['startLine']}"
            yield Problem(where, result["ruleId"], result["message"]["text"])
    for parameters in sorted(folder.glob("*.bicepparam")):
        yield from _said([program, "build-params", "--stdout", str(parameters)], parameters)


def _said(command: list[str], root: Path) -> Iterator[Problem]:
    """Yield every line that a compiler says of errors and warnings."""
    variables = {"DRAGOMAN_ALERT_EMAILS": "e", "DRAGOMAN_ENTRA_AUDIENCE": "a" * 36}
    done = subprocess.run(
        command, env={**variables, **os.environ}, capture_output=True, text=True, check=False, timeout=_LIMIT_S
    )
    for line in done.stderr.splitlines():
        place, mark, message = line.partition(") : ")
        if mark:
            yield Problem(Path(place.partition("(")[0]).name, "bicep", message)
    if done.returncode and not done.stderr:
        yield Problem(root.name, "bicep", f"{command[1]} ends with {done.returncode}")


def _checker(program: Path, folder: Path) -> Iterator[Problem]:
    for root in sorted(folder.glob("*.bicep")):
        command = [sys.executable, str(program), str(root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
        if done.returncode not in (0, 1) or done.stderr:
            yield Problem(root.name, "no-judge", f"{program} cannot be run: {done.stderr[-300:]}")
        for line in done.stdout.splitlines()[:-1]:
            place, severity, code, message = line.split(" ", 3)
            if severity != "info":
                file, number = place.split(":")[:2]
                yield Problem(f"{Path(file).name}:{number}", code, message)
