"""The identity of whoever works with the emulator: tokens as App Service gives them to its apps.

``ManagedIdentityCredential``, and so ``DefaultAzureCredential``, ask for them where ``IDENTITY_ENDPOINT`` points.
"""

import hmac
import time
import uuid
from typing import Annotated, Final

import jwt
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from dragoman.emulator.admission import KEY
from dragoman.emulator.azureml.cloud import Cloud

PATH: Final = "/identity/token"
_LIFETIME_S: Final = 3_600
_WHO: Final = str(uuid.uuid5(uuid.NAMESPACE_URL, "dragoman emulator"))


def add_identity(router: APIRouter, cloud: Cloud) -> None:
    """Add the route."""

    @router.get(PATH)
    async def token(
        resource: str, request: Request, secret: Annotated[str, Header(alias="X-IDENTITY-HEADER")] = ""
    ) -> JSONResponse:
        """Return a token for a resource, to whoever knows ``IDENTITY_HEADER``."""
        if not hmac.compare_digest(secret.encode(), KEY.encode()):
            return JSONResponse({"statusCode": 401, "message": "The header X-IDENTITY-HEADER is wrong."}, 401)
        now = int(time.time())
        said: dict[str, str | int] = {
            "aud": resource,
            "iss": str(request.base_url),
            "oid": _WHO,
            "appid": _WHO,
            "nbf": now,
            "exp": now + _LIFETIME_S,
        }
        return JSONResponse(
            {
                "access_token": jwt.encode(said, cloud.signatures.key, algorithm="HS256"),
                "client_id": _WHO,
                "expires_on": str(said["exp"]),
                "resource": resource,
                "token_type": "Bearer",
            }
        )
