"""What is wrong with what would be deployed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.check.bicep.deployment import Resource, Template


@dataclass(frozen=True, order=True)
class Problem:
    """A short name that does not change, where it is, and what is wrong."""

    where: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.where} {self.code} {self.message}"


@dataclass(frozen=True)
class Deployment:
    """A file of parameters with what it comes to, in the folder of all templates, and the project that is deployed."""

    parameters: Path
    template: Template
    folder: Path
    project: Path

    def of_type(self, type_: str) -> list[Resource]:
        """Return the resources of a type, whatever the case of its letters."""
        return [each for each in self.template.resources if each.type.lower() == type_.lower()]


Rule = Callable[[Deployment], Iterable[Problem]]


def at(resource: Resource, code: str, message: str) -> Problem:
    """Return a problem of a resource."""
    declared = resource.declared
    return Problem(f"{declared.file.name}:{declared.line}", code, f"{resource.name}: {message}")
