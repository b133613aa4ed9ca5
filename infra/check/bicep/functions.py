"""The functions of Bicep that our files call. One that is not here is an error, so that nothing is passed over."""

import base64
import hashlib
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.check.bicep.deployment import Value

SUBSCRIPTION: Final = "00000000-0000-4000-8000-000000000001"
TENANT: Final = "00000000-0000-4000-8000-00000000000a"


@dataclass(frozen=True)
class World:
    """What a template may ask about where it is deployed: the group it is in, the day, the environment variables."""

    group: str = ""
    day: str = "2026-11-01"
    variables: dict[str, str] = field(default_factory=dict)


def call(name: str, arguments: "list[Value]", world: World, file: Path) -> "Value":
    """Return what a function returns.

    Raises:
        ValueError: if it is not known here, or cannot be called so.
    """
    if name == "loadTextContent":
        return (file.parent / _text(arguments[0])).read_text(encoding="utf-8")
    if name == "readEnvironmentVariable":
        return _variable(arguments, world)
    if name in _ABOUT_THE_WORLD:
        return _ABOUT_THE_WORLD[name](world)
    if name not in _PLAIN:
        raise ValueError(f"the function '{name}' is not known here")
    return _PLAIN[name](arguments)


def unique(*parts: str) -> str:
    """Return 13 letters and digits that depend on the parts: as long as Azure's, and not the same."""
    seed = hashlib.sha256("\0".join(parts).encode()).digest()
    return base64.b32encode(seed).decode().lower()[:13]


def _text(value: "Value") -> str:
    if not isinstance(value, str):
        raise ValueError(f"a string is wanted, not {value!r}")  # noqa: TRY004 - told with its place
    return value


def _number(value: "Value") -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a number is wanted, not {value!r}")  # noqa: TRY004
    return value


def _list(value: "Value") -> "list[Value]":
    if not isinstance(value, list):
        raise ValueError(f"an array is wanted, not {value!r}")  # noqa: TRY004
    return value


def _object(value: "Value") -> "dict[str, Value]":
    if not isinstance(value, dict):
        raise ValueError(f"an object is wanted, not {value!r}")  # noqa: TRY004
    return value


def _variable(arguments: "list[Value]", world: World) -> str:
    name = _text(arguments[0])
    if name in world.variables:
        return world.variables[name]
    if len(arguments) == 1:
        raise ValueError(f"the environment variable {name} is not set")
    return _text(arguments[1])


def _bool(arguments: "list[Value]") -> bool:
    text = _text(arguments[0]).lower()
    if text not in ("true", "false"):
        raise ValueError(f"true or false is wanted, not {text!r}")
    return text == "true"


def _string(arguments: "list[Value]") -> str:
    value = arguments[0]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(arguments: "list[Value]") -> "Value":
    text = _text(arguments[0])
    return float(text) if "." in text else int(text)


def _empty(arguments: "list[Value]") -> bool:
    value = arguments[0]
    return value is None or value in ("", [], {})


def _concat(arguments: "list[Value]") -> "Value":
    if all(isinstance(each, str) for each in arguments):
        return "".join(map(_text, arguments))
    return [item for each in arguments for item in _list(each)]


def _union(arguments: "list[Value]") -> "Value":
    made: dict[str, Value] = {}
    for each in arguments:
        made |= _object(each)
    return made


def _items(arguments: "list[Value]") -> "Value":
    return [{"key": key, "value": value} for key, value in sorted(_object(arguments[0]).items())]


def _subscription_resource(arguments: "list[Value]") -> str:
    kind, *names = map(_text, arguments)
    provider, *types = kind.split("/")
    path = "/".join(f"{type_}/{name}" for type_, name in zip(types, names, strict=True))
    return f"/subscriptions/{SUBSCRIPTION}/providers/{provider}/{path}"


_ABOUT_THE_WORLD: "Final[dict[str, Callable[[World], Value]]]" = {
    "subscription": lambda _: {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION},
    "tenant": lambda _: {"tenantId": TENANT},
    "utcNow": lambda world: world.day,
    "environment": lambda _: {"suffixes": {"storage": "core.windows.net"}},
}

_PLAIN: "Final[dict[str, Callable[[list[Value]], Value]]]" = {
    "bool": _bool,
    "concat": _concat,
    "empty": _empty,
    "guid": lambda arguments: str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(map(_text, arguments)))),
    "int": lambda arguments: int(_text(arguments[0])),
    "items": _items,
    "join": lambda arguments: _text(arguments[1]).join(map(_text, _list(arguments[0]))),
    "json": _json,
    "replace": lambda arguments: _text(arguments[0]).replace(_text(arguments[1]), _text(arguments[2])),
    "split": lambda arguments: list(_text(arguments[0]).split(_text(arguments[1]))),
    "string": _string,
    "subscriptionResourceId": _subscription_resource,
    "toLower": lambda arguments: _text(arguments[0]).lower(),
    "union": _union,
    "uniqueString": lambda arguments: unique(*map(_text, arguments)),
}
