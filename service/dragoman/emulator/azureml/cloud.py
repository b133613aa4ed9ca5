"""What the doors of an emulated Azure ML share."""

import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from fastapi import Depends, Request, params

from dragoman.emulator.azureml.access import Signatures, check_management
from dragoman.emulator.azureml.arm import ArmError, Operations
from dragoman.emulator.azureml.blobs import Blobs
from dragoman.emulator.azureml.state import State
from dragoman.emulator.faults import Faults


@dataclass
class Cloud:
    """One emulator: a folder, what is remembered in it, and what goes on."""

    folder: Path
    state: State
    blobs: Blobs
    signatures: Signatures
    faults: Faults = field(default_factory=Faults)
    operations: Operations = field(default_factory=Operations)

    @classmethod
    def open(cls, folder: Path, faults: Faults | None = None) -> "Cloud":
        """Open a folder, with what is in it from the last time."""
        folder.mkdir(parents=True, exist_ok=True)
        secret = folder / "secret"
        if not secret.is_file():
            secret.touch(mode=0o600)
            secret.write_bytes(secrets.token_bytes(32))
        return cls(folder, State(folder), Blobs(folder / "blobs"), Signatures(secret.read_bytes()), faults or Faults())


def container_of(workspace: str) -> str:
    """Return the container of the default datastore of a workspace, by its ARM id."""
    return f"azureml-blobstore-{uuid.uuid5(uuid.NAMESPACE_URL, workspace.lower())}"


def managed() -> params.Depends:
    """Return a dependency of management's routes: it lets in who has a token, unless something is to go wrong."""

    async def check(request: Request) -> None:
        faults = cast("Faults", request.app.state.faults)
        fault = faults.next("management", request.url.path)
        await Faults.wait(fault)
        if fault and fault.status:
            headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
            raise ArmError(fault.status, fault.code or "InternalServerError", "The emulator was told to fail.", headers)
        check_management(request)

    dependency: params.Depends = Depends(check)
    return dependency
