"""A Dockerfile whose steps run without a container engine: in a folder that stands for the image's root."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dockerfile_parse import DockerfileParser

Environment = dict[str, str]
_OURS = ("data", "models", "requirements", "source", "tools", "venv", "wheel")
_ABSOLUTE = re.compile(rf"(?<![\w./])/({'|'.join(_OURS)})(?![\w-])")


@dataclass(frozen=True)
class Step:
    instruction: str
    value: str


@dataclass
class Stage:
    base: str
    steps: list[Step] = field(default_factory=list)

    def last(self, instruction: str) -> str | None:
        return next((step.value for step in reversed(self.steps) if step.instruction == instruction), None)

    def words(self, instruction: str) -> list[str]:
        """Return a command in its exec form; nothing if there is none."""
        value = self.last(instruction)
        words: list[str] = json.loads(value) if value else []
        return words

    def health(self) -> list[str]:
        value = self.last("HEALTHCHECK") or ""
        words: list[str] = json.loads(value.split("CMD", 1)[1])
        return words


def stages(path: Path) -> dict[str, Stage]:
    """Return the stages by name, each with those it is made from: what an image of it has."""
    with path.open("rb") as file:
        structure = DockerfileParser(fileobj=file, cache_content=True).structure
    found: dict[str, Stage] = {}
    current: Stage | None = None
    for each in structure:
        if each["instruction"] == "FROM":
            base, _, name = each["value"].split()
            current = found[name] = Stage(base, list(found[base].steps) if base in found else [])
        elif current is not None and each["instruction"] != "COMMENT":
            current.steps.append(Step(each["instruction"], each["value"]))
    return found


class Root:
    """A folder that stands for ``/``."""

    def __init__(self, folder: Path, context: Path) -> None:
        self.folder = folder
        self._context = context
        self._tools = folder / "bin"
        self._tools.mkdir()
        (self._tools / "python").symlink_to(Path(sys.executable).resolve())

    def build(self, stage: Stage) -> None:
        """Do the stage's steps, but those that only an engine can: users and what is copied from other images."""
        workdir = self.folder
        # How this machine reaches a package registry is its own business.
        machine = {name: value for name, value in os.environ.items() if not name.startswith(("DRAGOMAN", "PYTHON"))}
        environment = machine | self.environment(stage)
        for name in ("UV_COMPILE_BYTECODE", "UV_LINK_MODE", "UV_NO_CACHE", "PIP_NO_CACHE_DIR"):
            environment.pop(name, None)  # what makes an image small or fast makes a test slow
        for step in stage.steps:
            if step.instruction == "COPY" and not step.value.startswith("--from"):
                self._copy(*shlex.split(step.value))
            elif step.instruction == "WORKDIR":
                workdir = Path(self.here(step.value))
            elif step.instruction == "RUN" and "useradd" not in step.value:
                done = subprocess.run(
                    ["sh", "-c", self.here(step.value)], cwd=workdir, env=environment, capture_output=True, text=True
                )
                assert done.returncode == 0, f"{step.value}\n{done.stdout}\n{done.stderr}"

    def here(self, text: str) -> str:
        """Return text whose paths of the image are those below this folder."""
        return _ABSOLUTE.sub(lambda found: f"{self.folder}/{found[1]}", text)

    def environment(self, stage: Stage) -> Environment:
        """Return what the stage's processes see."""
        result = {"PATH": f"{self._tools}:{os.defpath}", "LANG": "C.UTF-8"}
        for step in stage.steps:
            if step.instruction in ("ARG", "ENV"):
                for name, value in (each.split("=", 1) for each in shlex.split(step.value)):
                    known = self.here(value)
                    for other in re.findall(r"\$\{?(\w+)\}?", value):
                        known = re.sub(rf"\$\{{?{other}\b\}}?", result.get(other, ""), known)
                    result[name] = known
        return result

    def _copy(self, *words: str) -> None:
        *sources, target = words
        to = Path(self.here(target))
        for path, name in self._files(sources):
            destination = to / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination)

    def _files(self, sources: list[str]) -> Iterator[tuple[Path, str]]:
        listed = subprocess.run(
            ["git", "ls-files", "--", *sources], cwd=self._context, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for name in listed:
            folder = next((source for source in sources if name.startswith(f"{source}/")), None)
            yield self._context / name, name.removeprefix(f"{folder}/") if folder else Path(name).name
