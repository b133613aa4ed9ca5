"""The workspace and its default datastore. Every workspace is there: nobody has to make one first."""

import uuid
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from dragoman.emulator.azureml.arm import LOCATION, PROVIDER, WORKSPACE, WorkspaceId, name_of, not_found, resource
from dragoman.emulator.azureml.blob_door import ACCOUNT, SUFFIX
from dragoman.emulator.azureml.cloud import Cloud, container_of, managed
from dragoman.emulator.azureml.state import Json

DATASTORE: Final = "workspaceblobstore"
PORTAL: Final = "https://portal.azure.emulator/"
CLOUD: Final = "DragomanEmulator"


def add_metadata(router: APIRouter) -> None:
    """Add the page that tells SDKs where everything is: what ``ARM_CLOUD_METADATA_URL`` points at."""

    @router.get("/metadata/endpoints")
    async def endpoints(request: Request) -> JSONResponse:
        """Describe the one cloud that is here. Nobody is asked for a token."""
        base = str(request.base_url)
        return JSONResponse(
            [
                {
                    "name": CLOUD,
                    "portal": PORTAL,
                    "resourceManager": base,
                    "authentication": {"loginEndpoint": base, "audiences": [base], "tenant": "common"},
                    "suffixes": {"storage": SUFFIX},
                }
            ]
        )


def add_workspace(router: APIRouter, cloud: Cloud) -> None:
    """Add the routes."""

    @router.get(WORKSPACE, dependencies=[managed()])
    async def workspace(id_: WorkspaceId, request: Request) -> JSONResponse:
        """Return a workspace."""
        group = id_.rpartition(f"/providers/{id_.split('/providers/')[1]}")[0]
        properties: Json = {
            "friendlyName": name_of(id_),
            "workspaceId": str(uuid.uuid5(uuid.NAMESPACE_URL, id_.lower())),
            "provisioningState": "Succeeded",
            "storageAccount": f"{group}/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}",
            "publicNetworkAccess": "Enabled",
            "discoveryUrl": f"{request.base_url}discovery",
            "mlFlowTrackingUri": "",
        }
        body = resource(id_, "", properties, location=LOCATION, identity={"type": "SystemAssigned"})
        return JSONResponse(body | {"type": f"{PROVIDER}/workspaces", "kind": "Default"})

    def datastore(id_: str, request: Request) -> Json:
        properties: Json = {
            "datastoreType": "AzureBlob",
            # The SDK writes "https://ACCOUNT.blob.SUFFIX"; so that finds us without a name service.
            "accountName": f"{request.url.netloc}/{ACCOUNT}",
            "containerName": container_of(id_),
            "endpoint": SUFFIX,
            "protocol": "https",
            "credentials": {"credentialsType": "Sas"},
            "isDefault": True,
            "serviceDataAccessAuthIdentity": "None",
        }
        return resource(f"{id_}/datastores/{DATASTORE}", "datastores", properties)

    @router.get(f"{WORKSPACE}/datastores", dependencies=[managed()])
    async def datastores(id_: WorkspaceId, request: Request) -> JSONResponse:
        """Return the datastores: the default one."""
        return JSONResponse({"value": [datastore(id_, request)]})

    @router.get(f"{WORKSPACE}/datastores/{{name}}", dependencies=[managed()])
    async def one_datastore(id_: WorkspaceId, name: str, request: Request) -> JSONResponse:
        """Return the default datastore."""
        if name != DATASTORE:
            raise not_found(f"{id_}/datastores/{name}")
        return JSONResponse(datastore(id_, request))

    @router.post(f"{WORKSPACE}/datastores/{{name}}/listSecrets", dependencies=[managed()])
    async def secrets(id_: WorkspaceId, name: str) -> JSONResponse:
        """Return a signature for the default datastore."""
        if name != DATASTORE:
            raise not_found(f"{id_}/datastores/{name}")
        container = container_of(id_)
        cloud.blobs.create_container(container)
        return JSONResponse({"secretsType": "Sas", "sasToken": cloud.signatures.sas(container, "racwdl")})
