"""What the container of the service is told, taken from a worked-out template."""

from dataclasses import dataclass
from typing import cast

from infra.check.bicep.deployment import Resource, Template, Value

_APP = "microsoft.app/containerapps"


@dataclass(frozen=True)
class Container:
    """The first container of an app: its variables, those that are secrets by the name of the secret."""

    app: Resource
    image: str
    variables: dict[str, str]
    secrets: dict[str, str]


def container(template: Template) -> Container:
    """Return the container of the service."""
    (app,) = (each for each in template.resources if each.type.lower() == _APP)
    containers = cast("list[dict[str, Value]]", app.get("properties", "template", "containers"))
    listed = cast("list[dict[str, str]]", containers[0]["env"])
    variables = {each["name"]: each["value"] for each in listed if "value" in each}
    secrets = {each["name"]: each["secretRef"] for each in listed if "secretRef" in each}
    return Container(app, str(containers[0]["image"]), variables, secrets)
