"""What a template comes to with given parameters: its resources and outputs, all expressions worked out."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, Union

from infra.check.bicep.answers import answers
from infra.check.bicep.functions import SUBSCRIPTION, World
from infra.check.bicep.source import BicepError, Declaration, Source, read, text_of

Value: TypeAlias = Union[bool, int, float, str, "list[Value]", "dict[str, Value]", "Resource", "Module", None]


@dataclass(eq=False)
class Resource:
    """A resource as it would be sent to Azure; ``declared`` says where it is written."""

    type: str
    version: str
    name: str
    id: str
    body: dict[str, Value]
    declared: Declaration
    scope: "Resource | None" = None

    def get(self, *path: str) -> Value:
        """Return what the template sets there; ``None``, if nothing."""
        found: Value = self.body
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def member(self, name: str) -> Value:
        """Return what templates read of it, with what Azure adds.

        Raises:
            ValueError: if there is no such thing.
        """
        if name == "id":
            return self.id
        if name == "name":
            return self.name.rpartition("/")[2]
        if name == "properties":
            return merged(self.get("properties") or {}, answers(self))
        if name in self.body:
            return self.body[name]
        raise ValueError(f"{self.type} has no '{name}' that is known here")


@dataclass(eq=False)
class Module:
    """A template that another one deploys."""

    template: "Template"


@dataclass
class Template:
    """A file with the values of its parameters."""

    source: Source
    arguments: dict[str, Value]
    world: World
    _known: dict[str, Value] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, arguments: dict[str, Value], world: World) -> "Template":
        """Read a file, and hand it its parameters.

        Raises:
            BicepError: if one is missing, not known, or none of its type.
        """
        from infra.check.bicep.types import check

        template = cls(read(path), arguments, world)
        parameters = {name: each for name, each in template.source.symbols.items() if each.kind == "param"}
        if unknown := arguments.keys() - parameters.keys():
            raise BicepError(path, 0, f"has no parameter {', '.join(sorted(unknown))}")
        for name, each in parameters.items():
            check(template.symbol(name), each, template)
        return template

    def symbol(self, name: str) -> Value:
        """Return what a name stands for.

        Raises:
            BicepError: if it stands for nothing.
        """
        if name not in self._known:
            self._known[name] = self._work_out(name)
        return self._known[name]

    @cached_property
    def outputs(self) -> dict[str, Value]:
        """What it gives to whoever deploys it."""
        return {name: self._evaluate(each) for name, each in self.source.outputs.items()}

    @cached_property
    def resources(self) -> list[Resource]:
        """Everything that it makes, with what its modules make."""
        found: list[Resource] = []
        for name, each in self.source.symbols.items():
            if each.kind in ("resource", "module") and not each.is_existing:
                value = self.symbol(name)
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, Resource):
                        found.append(one)
                    elif isinstance(one, Module):
                        found += one.template.resources
        return found

    def _work_out(self, name: str) -> Value:
        if name in self.source.imports:
            return Template(read(self.source.imports[name]), {}, self.world).symbol(name)
        declared = self.source.symbols.get(name)
        if declared is None or declared.kind == "type":
            raise BicepError(self.source.path, 0, f"has nothing called '{name}'")
        if declared.kind == "param":
            if name in self.arguments:
                return self.arguments[name]
            if declared.value is None:
                if declared.type is not None and text_of(declared.type).endswith("?"):
                    return None
                raise BicepError(self.source.path, declared.line, f"wants the parameter '{name}'")
        return self._evaluate(declared)

    def _evaluate(self, declared: Declaration) -> Value:
        from infra.check.bicep.expressions import Scope, evaluate

        assert declared.value is not None
        return evaluate(declared.value, Scope(self, declared))

    def make(self, declared: Declaration, body: Value) -> Value:
        """Return the resource or module of an object."""
        assert isinstance(body, dict)
        if declared.kind == "module":
            scope = body.get("scope")
            world = replace(self.world, group=scope.name) if isinstance(scope, Resource) else self.world
            given = body.get("params", {})
            assert isinstance(given, dict)
            return Module(Template.open(self.source.path.parent / declared.target, given, world))
        kind, _, version = declared.target.partition("@")
        parent, scope = body.get("parent"), body.get("scope")
        name = str(body.get("name", ""))
        if isinstance(parent, Resource):
            name = f"{parent.name}/{name}"
            made = f"{parent.id}/{kind.rpartition('/')[2]}/{body['name']}"
        elif isinstance(scope, Resource):
            made = f"{scope.id}/providers/{kind}/{name}"
        elif kind == "Microsoft.Resources/resourceGroups":
            made = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"
        else:
            group = f"/resourceGroups/{self.world.group}" if self.world.group else ""
            made = f"/subscriptions/{SUBSCRIPTION}{group}/providers/{kind}/{name}"
        within = scope if isinstance(scope, Resource) else None
        return Resource(kind, version, name, made, body, declared, within)


def deploy(parameters: Path, variables: dict[str, str]) -> Template:
    """Return what a file of parameters deploys, when these environment variables are set.

    Raises:
        BicepError: if it cannot be worked out.
    """
    given = Template(read(parameters), {}, World(variables=variables))
    if given.source.using is None:
        raise BicepError(parameters, 0, "says no template after 'using'")
    arguments = {name: given.symbol(name) for name in given.source.symbols}
    return Template.open(given.source.using, arguments, World())


def merged(first: Value, second: Value) -> Value:
    """Return objects laid over each other, the second on top."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first | {key: merged(first.get(key), value) for key, value in second.items()}
    return second
