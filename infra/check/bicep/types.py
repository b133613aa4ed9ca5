"""Whether the value of a parameter is of its type: kinds, objects' properties, what is allowed, and lengths."""

from collections.abc import Iterable
from typing import Final

from tree_sitter import Node

from infra.check.bicep.deployment import Template, Value
from infra.check.bicep.source import BicepError, Declaration, literal, read, text_of

_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "int": (int, float),
    "bool": (bool,),
    "object": (dict,),
    "array": (list,),
}


def check(value: Value, declared: Declaration, template: Template) -> None:
    """Find out whether a parameter's value fits.

    Raises:
        BicepError: if not.
    """
    problem = _type(value, declared.type, template, declared.name) if declared.type is not None else None
    problem = problem or _rules(value, declared)
    if problem:
        raise BicepError(declared.file, declared.line, problem)


def _rules(value: Value, declared: Declaration) -> str | None:
    rules, name = declared.decorators, declared.name
    if "allowed" in rules:
        allowed = [literal(each) for each in rules["allowed"][0].named_children]
        if value not in allowed:
            return f"'{name}' is {value!r}, not one of {', '.join(allowed)}"
    size = len(value) if isinstance(value, (str, list)) else value
    if isinstance(size, int):
        for rule, is_wrong in (("minLength", size.__lt__), ("minValue", size.__lt__), ("maxLength", size.__gt__)):
            if rule in rules and is_wrong(int(text_of(rules[rule][0]))):
                return f"'{name}' does not keep @{rule}({text_of(rules[rule][0])})"
    return None


def _type(value: Value, node: Node, template: Template, path: str) -> str | None:
    inner = [each for each in node.named_children if each.type not in ("comment", "decorators")]
    match node.type:
        case "type":
            return _type(value, inner[0], template, path)
        case "nullable_type":
            return None if value is None else _type(value, inner[0], template, path)
        case "array_type":
            if not isinstance(value, list):
                return f"'{path}' is no array"
            return _first(_type(each, inner[0], template, f"{path}[]") for each in value)
        case "union_type":
            allowed = [literal(each) for each in inner]
            return None if value in allowed else f"'{path}' is {value!r}, not one of {', '.join(allowed)}"
        case "primitive_type":
            kind = text_of(node)
            is_right = isinstance(value, _KINDS[kind]) and (kind == "bool" or not isinstance(value, bool))
            return None if is_right else f"'{path}' is no {kind}: {value!r}"
        case "object":
            return _object(value, node, template, path)
        case "identifier":
            declared, source = _declared(text_of(node), template)
            assert declared.type is not None
            return _type(value, declared.type, source, path)
        case _:
            return f"the type of '{path}' is not known here ({node.type})"


def _declared(name: str, template: Template) -> tuple[Declaration, Template]:
    where = template.source.imports.get(name)
    source = Template(read(where), {}, template.world) if where else template
    found = source.source.symbols.get(name)
    if found is None or found.kind != "type":
        raise BicepError(template.source.path, 0, f"has no type '{name}'")
    return found, source


def _object(value: Value, node: Node, template: Template, path: str) -> str | None:
    if not isinstance(value, dict):
        return f"'{path}' is no object"
    known = [each.named_children for each in node.named_children if each.type == "object_property"]
    types = {text_of(name): type_ for name, type_ in known}
    if unknown := value.keys() - types.keys():
        return f"'{path}' has no '{', '.join(sorted(unknown))}'"
    for name, type_ in types.items():
        if name not in value and type_.type != "nullable_type":
            return f"'{path}' wants '{name}'"
    return _first(_type(value.get(name), type_, template, f"{path}.{name}") for name, type_ in types.items())


def _first(problems: Iterable[str | None]) -> str | None:
    return next(filter(None, problems), None)
