"""An image built by the registry itself, so that nobody needs a container engine (Azure Container Registry tasks)."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from arm import Arm, ArmError, Json, Value, items, part, text

_VERSION: Final = "2019-06-01-preview"
"""Newest version of tasks that azure-mgmt-containerregistry shipped as stable surface."""
_OVER: Final = frozenset({"Succeeded", "Failed", "Canceled", "Error", "Timeout"})
_LONGEST_S: Final = 3_600
_POLL_S: Final = 5.0


class BuildError(Exception):
    """Why there is no image, with the end of the registry's log."""


def source(root: Path) -> bytes:
    """Return what was committed, packed; what was not is not released.

    Raises:
        BuildError: if there are changes that were not committed.
    """
    changed = _git(root, "status", "--porcelain", "--untracked-files=no").decode()
    if changed:
        raise BuildError(f"Commit first: an image is of a commit, and these are changed:\n{changed}")
    return _git(root, "archive", "--format=tar.gz", "HEAD")


def commit(root: Path) -> str:
    """Return the name of the commit, 12 characters: the tag of its image."""
    return _git(root, "rev-parse", "--short=12", "HEAD").decode().strip()


def build(
    arm: Arm,
    http: httpx.Client,
    registry: str,
    packed: bytes,
    tag: str,
    *,
    dockerfile: str,
    arguments: dict[str, str],
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Build a Dockerfile at a registry, and return the image by its digest.

    Args:
        arm: Azure Resource Manager.
        http: For the upload of the source.
        registry: Id of the registry's resource.
        packed: The build context as a ``tar.gz``.
        tag: Repository and tag, ``dragoman-insight:0123456789ab``.
        dockerfile: Where it lies in the context.
        arguments: What the Dockerfile takes as ``ARG``.
        sleep: Waits between two looks, in seconds.

    Raises:
        ArmError: if the registry does not answer.
        BuildError: if the build fails.
    """
    place = arm.post(f"{registry}/listBuildSourceUploadUrl", _VERSION)
    uploaded = http.put(text(place, "uploadUrl"), content=packed, headers={"x-ms-blob-type": "BlockBlob"})
    if not uploaded.is_success:
        raise BuildError(f"The registry's storage refuses the source ({uploaded.status_code}).")
    told: list[Value] = [{"name": name, "value": value, "isSecret": False} for name, value in arguments.items()]
    request: Json = {
        "type": "DockerBuildRequest",
        "imageNames": [tag],
        "isPushEnabled": True,
        "sourceLocation": text(place, "relativePath"),
        "dockerFilePath": dockerfile,
        "arguments": told,
        "platform": {"os": "Linux", "architecture": "amd64"},
        "timeout": _LONGEST_S,
    }
    run = arm.post(f"{registry}/scheduleRun", _VERSION, request)
    path = f"{registry}/runs/{text(part(run, 'properties'), 'runId')}"
    deadline_s = time.monotonic() + _LONGEST_S
    while (status := text(part(run, "properties"), "status")) not in _OVER:
        if time.monotonic() > deadline_s:
            raise BuildError(f"The build of {tag} takes longer than an hour.")
        sleep(_POLL_S)
        run = arm.get(path, _VERSION)
    if status != "Succeeded":
        raise BuildError(f"The build of {tag} ended as {status}:\n{_log(arm, http, path)}")
    image = items(part(run, "properties"), "outputImages")[0]
    return f"{text(image, 'registry')}/{text(image, 'repository')}@{text(image, 'digest')}"


def _log(arm: Arm, http: httpx.Client, path: str) -> str:
    """Return the last lines of a run's log, if the registry lets us have them."""
    try:
        link = text(arm.post(f"{path}/listLogSasUrl", _VERSION), "logLink")
        return "\n".join(http.get(link).text.splitlines()[-20:])
    except (ArmError, httpx.HTTPError) as error:
        return f"(its log cannot be had: {error})"


def _git(root: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    if done.returncode:
        raise BuildError(f"git {arguments[0]}: {done.stderr.decode().strip()}")
    return done.stdout
