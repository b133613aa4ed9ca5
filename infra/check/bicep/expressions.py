"""The expressions of Bicep, worked out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tree_sitter import Node

from infra.check.bicep.deployment import Module, Resource, Template, Value
from infra.check.bicep.functions import call
from infra.check.bicep.source import BicepError, Declaration, text_of

_ESCAPES: Final = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\\\": "\\", "\\'": "'", "\\$": "$"}


_LOOSE: Final = frozenset({"binary_expression", "ternary_expression", "unary_expression"})


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: its template, its declaration, and the names of the loops around it."""

    template: Template
    declared: Declaration
    names: dict[str, Value] = field(default_factory=dict)

    def with_names(self, names: dict[str, Value]) -> "Scope":
        """Return the scope of a loop's body."""
        return Scope(self.template, self.declared, self.names | names)


def evaluate(node: Node, scope: Scope) -> Value:
    """Return what an expression comes to; that of a resource or module, with its loop and condition, is what it makes.

    Raises:
        BicepError: if it comes to nothing, or is of a kind that is not known here.
    """
    outermost = node == scope.declared.value and scope.declared.kind in ("resource", "module")
    try:
        return _build(node, scope) if outermost else _value(node, scope)
    except ValueError as error:
        raise BicepError(scope.declared.file, node.start_point.row + 1, str(error)) from error


def _build(node: Node, scope: Scope) -> Value:
    match node.type:
        case "for_statement":
            return [_build(_field(node, "body"), inner) for inner in _rounds(node, scope)]
        case "if_statement":
            condition, body = _children(node)
            return _build(body, scope) if _value(condition, scope) else None
        case _:
            return scope.template.make(scope.declared, _value(node, scope))


def _value(node: Node, scope: Scope) -> Value:
    kind = _KINDS.get(node.type)
    if kind is None:
        raise ValueError(f"a {node.type} is not known here")
    try:
        return kind(node, scope)
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(f"'{text_of(node)[:60]}' cannot be worked out: {error}") from error


def _children(node: Node) -> list[Node]:
    return [each for each in node.named_children if each.type != "comment"]


def _field(node: Node, name: str) -> Node:
    found = node.child_by_field_name(name)
    assert found is not None
    return found


def _string(node: Node, scope: Scope) -> str:
    written, made, at = node.text or b"", "", 1
    if written.startswith(b"'''"):
        raise ValueError("a string of several lines is not known here")
    for part in node.named_children:
        if part.type == "string_content":
            continue
        # The grammar gives spaces to what follows them, so a text is all that is written between its neighbours.
        spaces = len(part.text or b"") - len((part.text or b"").lstrip())
        made += written[at : part.start_byte + spaces - node.start_byte].decode()
        at = part.end_byte - node.start_byte
        if part.type == "escape_sequence":
            made += _ESCAPES[text_of(part).lstrip()]
        else:
            inner = _value(_children(part)[0], scope)
            made += str(inner).lower() if isinstance(inner, bool) else str(inner)
    return made + written[at:-1].decode()


def _identifier(node: Node, scope: Scope) -> Value:
    name = text_of(node)
    return scope.names[name] if name in scope.names else scope.template.symbol(name)


def _object(node: Node, scope: Scope) -> dict[str, Value]:
    made: dict[str, Value] = {}
    for pair in _children(node):
        key, value = _children(pair)
        name = _string(key, scope) if key.type == "string" else text_of(key)
        if name in made:
            raise ValueError(f"'{name}' is set twice")
        made[name] = _value(value, scope)
    return made


def _rounds(node: Node, scope: Scope) -> list[Scope]:
    parameters = next((each for each in node.children if each.type == "for_loop_parameters"), None)
    names = [text_of(each) for each in _children(parameters)] if parameters else [text_of(_field(node, "initializer"))]
    body = _field(node, "body")
    before = [each for each in _children(node) if each != body]
    items = _value(before[-1], scope)
    if not isinstance(items, list):
        raise ValueError(f"a loop wants an array, not {items!r}")  # noqa: TRY004
    return [scope.with_names(dict(zip(names, (item, index), strict=False))) for index, item in enumerate(items)]


def _ternary(node: Node, scope: Scope) -> Value:
    chosen = "consequence" if _value(_field(node, "condition"), scope) else "alternative"
    return _value(_field(node, chosen), scope)


def _binary(node: Node, scope: Scope) -> Value:
    operator, left = text_of(_field(node, "operator")), _value(_field(node, "left"), scope)
    right = _field(node, "right")
    match operator:
        case "??":
            return left if left is not None else _value(right, scope)
        case "&&":
            return bool(left) and bool(_value(right, scope))
        case "||":
            return bool(left) or bool(_value(right, scope))
        case "==" | "!=":
            return (left == _value(right, scope)) is (operator == "==")
    other = _value(right, scope)
    if not isinstance(left, int) or not isinstance(other, int):
        raise ValueError(f"'{operator}' wants numbers")  # noqa: TRY004
    match operator:
        case "+":
            return left + other
        case "-":
            return left - other
        case "*":
            return left * other
        case "/":
            return left // other
        case ">":
            return left > other
        case "<":
            return left < other
        case _:
            raise ValueError(f"the operator '{operator}' is not known here")


def _unary(node: Node, scope: Scope) -> Value:
    value = _value(_field(node, "argument"), scope)
    if text_of(_field(node, "operator")) == "!":
        return not value
    if not isinstance(value, int):
        raise ValueError("'-' wants a number")  # noqa: TRY004
    return -value


def _member(node: Node, scope: Scope) -> Value:
    of = _field(node, "object")
    if of.type in _LOOSE:  # the grammar binds 'a ? b : c.d' as '(a ? b : c).d', and Bicep does not
        raise ValueError(f"put parentheses, or a name, into '{text_of(node)[:60]}': it would be read in two ways")
    base, name = _value(of, scope), text_of(_field(node, "property"))
    is_safe = any(each.type == ".?" for each in node.children)
    match base:
        case Resource():
            return base.member(name)
        case Module():
            if name != "outputs":
                raise ValueError(f"a module has no '{name}' that is known here")
            return base.template.outputs
        case dict():
            if name in base or is_safe:
                return base.get(name)
    if base is None and is_safe:
        return None
    raise ValueError(f"'{text_of(node)[:60]}' is not there")


def _subscript(node: Node, scope: Scope) -> Value:
    base, index = _value(_field(node, "object"), scope), _value(_field(node, "index"), scope)
    if isinstance(base, list) and isinstance(index, int):
        return base[index]
    if isinstance(base, dict) and isinstance(index, str):
        return base[index]
    raise ValueError(f"'{text_of(node)[:60]}' is not there")


def _call(node: Node, scope: Scope) -> Value:
    arguments = [_value(each, scope) for each in _children(_field(node, "arguments"))]
    template = scope.template
    return call(text_of(_field(node, "function")), arguments, template.world, template.source.path)


_KINDS: Final[dict[str, Callable[[Node, Scope], Value]]] = {
    "array": lambda node, scope: [_value(each, scope) for each in _children(node)],
    "binary_expression": _binary,
    "boolean": lambda node, _: text_of(node) == "true",
    "call_expression": _call,
    "for_statement": lambda node, scope: [_value(_field(node, "body"), inner) for inner in _rounds(node, scope)],
    "identifier": _identifier,
    "member_expression": _member,
    "null": lambda node, _: None,
    "number": lambda node, _: int(text_of(node)),
    "object": _object,
    "parenthesized_expression": lambda node, scope: _value(_children(node)[0], scope),
    "string": _string,
    "subscript_expression": _subscript,
    "ternary_expression": _ternary,
    "unary_expression": _unary,
}
