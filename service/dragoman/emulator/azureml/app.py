"""The application of an emulated Azure ML: its doors, on one folder."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI

from dragoman import __version__
from dragoman.emulator.azureml.arm import AnyCase, ArmError, add_operations, properties_of
from dragoman.emulator.azureml.assets import add_assets
from dragoman.emulator.azureml.blob_door import add_blob_door
from dragoman.emulator.azureml.cloud import Cloud
from dragoman.emulator.azureml.collecting import Collector
from dragoman.emulator.azureml.deployments import add_deployments
from dragoman.emulator.azureml.endpoints import add_endpoints
from dragoman.emulator.azureml.front import Front, add_front
from dragoman.emulator.azureml.identity import add_identity
from dragoman.emulator.azureml.launching import Images
from dragoman.emulator.azureml.metrics import add_metrics
from dragoman.emulator.azureml.rollout import Rollout
from dragoman.emulator.azureml.state import Json
from dragoman.emulator.azureml.workspace import add_metadata, add_workspace
from dragoman.emulator.faults import Faults

_log = logging.getLogger(__name__)


def create_azureml(folder: Path, images: Images | None = None, faults: Faults | None = None) -> FastAPI:
    """Return the application on a folder; deployments that are in it run again once the application does.

    It must be served over TLS: Azure's SDKs send no token otherwise.
    """
    cloud = Cloud.open(folder, faults)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        rollout = Rollout(cloud, images or Images())
        front = Front(cloud, rollout, Collector(cloud.state, cloud.blobs))
        router = APIRouter()
        add_metadata(router)
        add_identity(router, cloud)
        add_workspace(router, cloud)
        add_endpoints(router, cloud, rollout)
        add_deployments(router, cloud, rollout)
        add_metrics(router, cloud)
        add_assets(router, cloud)
        add_front(router, front)
        app.include_router(router)
        cloud.operations.begin(_resume(cloud, rollout))
        yield
        await cloud.operations.close()
        await front.close()
        await rollout.close()
        cloud.state.close()

    app = FastAPI(title="Dragoman emulator: Azure ML", version=__version__, lifespan=lifespan, openapi_url=None)
    app.state.faults = cloud.faults
    add_operations(app, cloud.operations)
    add_blob_door(app, cloud.blobs, cloud.signatures)
    app.add_middleware(AnyCase)
    return app


async def _resume(cloud: Cloud, rollout: Rollout) -> None:
    """Run again what ran when the emulator ended, and finish what it was about to do."""
    known = [each for id_ in cloud.state.ids() if (each := cloud.state.get(id_)) and "name" in each]
    for resource in known:
        kind = str(resource["type"]).rpartition("workspaces/")[2]
        state = properties_of(resource).get("provisioningState")
        if state == "Deleting":
            cloud.state.delete(str(resource["id"]))
        elif kind == "onlineEndpoints" and state in ("Creating", "Updating"):
            cloud.set_state(resource, "Succeeded")
    running = [each for each in known if str(each["type"]).endswith("/deployments")]
    await asyncio.gather(*(_run_again(cloud, rollout, each) for each in running))


async def _run_again(cloud: Cloud, rollout: Rollout, deployment: Json) -> None:
    if cloud.state.get(str(deployment["id"])) is None or properties_of(deployment).get("provisioningState") == "Failed":
        return
    try:
        await rollout.roll_out(deployment)
    except ArmError as error:
        _log.warning("a deployment does not run again: %s", error)
        cloud.set_state(deployment, "Failed")
    else:
        cloud.set_state(deployment, "Succeeded")
