"""``azure.yaml``, which azd reads: that it is understood, and that what it names is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.check.problem import Deployment, Problem


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Docker(_Strict):
    path: str
    context: str = "."
    platform: Literal["linux/amd64", "linux/arm64"] = "linux/amd64"
    target: str | None = None
    remote_build: bool = Field(default=False, alias="remoteBuild")


class _Service(_Strict):
    project: str
    host: Literal["containerapp"]
    language: Literal["docker", "py", "python"]
    docker: _Docker


class _Hook(_Strict):
    kind: Literal["python", "sh", "pwsh"]
    run: str
    interactive: bool = False
    continue_on_error: bool = Field(default=False, alias="continueOnError")


class _Infra(_Strict):
    provider: Literal["bicep"] = "bicep"
    path: str = "infra"
    module: str = "main"


_Moment = Literal[
    "preprovision", "postprovision", "prepackage", "predeploy", "postdeploy", "preup", "postup", "predown"
]


class AzdProject(_Strict):
    """``azure.yaml``, as far as it is used here.

    Source: github.com/Azure/azure-dev, ``schemas/v1.0/azure.yaml.json``, read 2026-11. What is not here is refused.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$", min_length=2)
    metadata: dict[Literal["template"], str] = {}
    infra: _Infra = _Infra()
    services: dict[str, _Service]
    hooks: dict[_Moment, _Hook] = {}


def check_azd(project: Path, deployments: list[Deployment]) -> Iterator[Problem]:
    """Find what azd would not understand, or not find."""
    file = project / "azure.yaml"
    if not file.exists():
        return
    try:
        azd = AzdProject.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        yield Problem(file.name, "azd", " ".join(str(error).split()))
        return
    wanted = [f"{azd.infra.path}/{azd.infra.module}{end}" for end in (".bicep", ".bicepparam")]
    wanted += [hook.run for hook in azd.hooks.values()]
    wanted += [f"{service.project}/{service.docker.path}" for service in azd.services.values()]
    for path in wanted:
        if not (project / path).is_file():
            yield Problem(file.name, "azd", f"there is no {path}")
    for deployment in deployments:
        for name in azd.services:
            apps = deployment.of_type("Microsoft.App/containerApps")
            if not any(app.get("tags", "azd-service-name") == name for app in apps):
                yield Problem(file.name, "azd", f"no app has the tag azd-service-name '{name}'")
        if "AZURE_CONTAINER_REGISTRY_ENDPOINT" not in deployment.template.outputs:
            yield Problem(file.name, "azd", "azd looks for the output AZURE_CONTAINER_REGISTRY_ENDPOINT")
        (group,) = deployment.of_type("Microsoft.Resources/resourceGroups")
        if not group.get("tags", "azd-env-name"):
            yield Problem(file.name, "azd", "azd finds its group by the tag azd-env-name")
