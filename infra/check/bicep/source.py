"""A Bicep file, parsed: its declarations, each with its place."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser, Tree

_KINDS: Final = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "type_declaration": "type",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}
_TYPES: Final = frozenset({"type", "primitive_type", "array_type", "nullable_type", "union_type"})
_PASSED_OVER: Final = frozenset({"comment", "target_scope_assignment", "metadata_declaration", "using_statement"})


class BicepError(Exception):
    """What is wrong, and where: ``modules/ai.bicep:3 …``."""

    def __init__(self, file: Path, line: int, message: str) -> None:
        super().__init__(f"{file.name}:{line} {message}")


@dataclass(frozen=True, eq=False)
class Declaration:
    """One of a file, with its expression and its type, if any."""

    kind: str
    """``param``, ``var``, ``type``, ``resource``, ``module`` or ``output``."""
    name: str
    node: Node
    file: Path
    value: Node | None
    type: Node | None
    decorators: dict[str, list[Node]]
    target: str
    """Of a resource its type and version, of a module its file; else empty."""
    is_existing: bool = False

    @property
    def line(self) -> int:
        """The line it begins on."""
        return self.node.start_point.row + 1


@dataclass(frozen=True)
class Source:
    """A file's declarations by name (outputs apart), and which names it imports from where."""

    path: Path
    symbols: dict[str, Declaration]
    outputs: dict[str, Declaration]
    imports: dict[str, Path]
    targets_subscription: bool
    using: Path | None


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bicep.language()))


@lru_cache(512)
def _parsed(text: str) -> Tree:
    return _parser().parse(text.encode())


def read(path: Path) -> Source:
    """Return what a file declares; in a file of parameters these are variables.

    Raises:
        BicepError: if it cannot be read or parsed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BicepError(path, 0, f"cannot be read: {error.strerror}") from error
    if path.suffix == ".bicepparam":  # the grammar knows no values of parameters; they are written as variables' are
        text = "".join(_as_variable(line) for line in text.splitlines(keepends=True))
    root = _parsed(text).root_node
    if wrong := _first_error(root):
        raise BicepError(path, wrong.start_point.row + 1, f"is no Bicep near {text_of(wrong)[:40]!r}")
    symbols: dict[str, Declaration] = {}
    outputs: dict[str, Declaration] = {}
    imports: dict[str, Path] = {}
    decorators: dict[str, list[Node]] = {}
    for node in root.named_children:
        if node.type == "decorators":
            decorators = _decorators(node)
        elif node.type == "import_functionality":
            names = [text_of(each) for each in node.named_children if each.type == "identifier"]
            source = next(each for each in node.named_children if each.type == "string")
            imports |= dict.fromkeys(names, path.parent / literal(source))
        elif node.type in _KINDS:
            made = _declaration(path, node, decorators)
            into = outputs if made.kind == "output" else symbols
            if made.name in into:
                raise BicepError(path, made.line, f"'{made.name}' is declared twice")
            into[made.name] = made
            decorators = {}
        elif node.type not in _PASSED_OVER:
            raise BicepError(path, node.start_point.row + 1, f"has a {node.type}, which is not read here")
    targets = [literal(each) for node in root.named_children if node.type == "target_scope_assignment"
               for each in node.named_children if each.type == "string"]  # fmt: skip
    used = [literal(each) for node in root.named_children if node.type == "using_statement"
            for each in node.named_children if each.type == "string"]  # fmt: skip
    return Source(path, symbols, outputs, imports, targets == ["subscription"], path.parent / used[0] if used else None)


def text_of(node: Node) -> str:
    """Return what is written there."""
    return (node.text or b"").decode()


def literal(node: Node) -> str:
    """Return a string that has no expression in it, without looking at escapes."""
    return "".join(text_of(each) for each in node.named_children if each.type == "string_content")


def _as_variable(line: str) -> str:
    return "var" + line.removeprefix("param") if line.startswith("param ") else line


def _first_error(node: Node) -> Node | None:
    if node.is_error or node.is_missing:
        return node
    if not node.has_error:
        return None
    return next((found for each in node.children if (found := _first_error(each))), node)


def _decorators(node: Node) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for decorator in node.named_children:
        call = decorator.named_children[0]
        name, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if name is not None and arguments is not None:
            found[text_of(name)] = arguments.named_children
    return found


def _declaration(path: Path, node: Node, decorators: dict[str, list[Node]]) -> Declaration:
    kind = _KINDS[node.type]
    name, *rest = [each for each in node.named_children if each.type != "comment"]
    target = ""
    if kind in ("resource", "module"):
        target, rest = literal(rest[0]), rest[1:]
    type_, value = None, None
    if kind == "type":
        type_ = rest[0]
    else:
        if rest and rest[0].type in _TYPES and kind in ("param", "output"):
            type_, rest = rest[0], rest[1:]
        value = rest[0] if rest else None
    is_existing = any(each.type == "existing" for each in node.children)
    return Declaration(kind, text_of(name), node, path, value, type_, decorators, target, is_existing)
