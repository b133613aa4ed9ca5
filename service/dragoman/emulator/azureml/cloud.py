"""What the doors of an emulated Azure ML share."""

import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from fastapi import Depends, Request, params

from dragoman.emulator.azureml.access import Signatures, check_management
from dragoman.emulator.azureml.arm import ArmError, Operations, name_of, not_found, properties_of
from dragoman.emulator.azureml.blobs import Blobs
from dragoman.emulator.azureml.state import Json, State
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

    def found(self, id: str) -> Json:  # noqa: A002 - ARM's word
        """Return a resource.

        Raises:
            ArmError: if there is none.
        """
        if found := self.state.get(id):
            return found
        raise not_found(id)

    def set_state(self, resource: Json, provisioning: str) -> None:
        """Keep a provisioning state; what is gone stays so."""
        id_ = str(resource["id"])
        if now := self.state.get(id_):
            self.state.put(id_, now | {"properties": properties_of(now) | {"provisioningState": provisioning}})

    async def may_fail(self, resource: Json) -> None:
        """Let an operation fail, if it is to."""
        fault = self.faults.next("provisioning", str(resource["id"]))
        await self.faults.wait(fault)
        if fault and fault.code:
            self.set_state(resource, "Failed")
            raise ArmError(400, fault.code, f"The emulator was told to fail with {name_of(str(resource['id']))}.")


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
