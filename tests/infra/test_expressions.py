"""Expressions of Bicep come to what they come to in Bicep, and what is not known is refused."""

from pathlib import Path

import pytest

from infra.check.bicep.deployment import Template, Value
from infra.check.bicep.functions import World
from infra.check.bicep.source import BicepError


def worked_out(tmp_path: Path, expression: str) -> Value:
    path = tmp_path / "one.bicep"
    path.write_text(f"var given = {{ name: 'x', list: [1, 2] }}\noutput it object = {expression}\n")
    return Template.open(path, {}, World(variables={"SET": "yes"})).outputs["it"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a${given.name}${true}'", "axtrue"),
        ("'it\\'s ${1 + 2 * 3}'", "it's 7"),
        ("' ${1} ${2} '", " 1 2 "),
        ("given.list[1]", 2),
        ("given.?missing ?? 'other'", "other"),
        ("7 * 3 / 4", 5),
        ("!empty('') || false", False),
        ("empty(given) ? 1 : 2", 2),
        ("[for (each, index) in given.list: each * 10 + index]", [10, 21]),
        ("items(union({ b: 1 }, { a: 2, b: 3 }))", [{"key": "a", "value": 2}, {"key": "b", "value": 3}]),
        ("concat([1], given.list)", [1, 1, 2]),
        ("join(split('a,b', ','), '-')", "a-b"),
        ("json('0.5')", 0.5),
        ("bool('TRUE')", True),
        ("readEnvironmentVariable('SET')", "yes"),
        ("readEnvironmentVariable('NOT_SET', 'no')", "no"),
        ("replace('a.b.c', '.', '-')", "a-b-c"),
    ],
)
def test_an_expression(tmp_path: Path, expression: str, value: Value) -> None:
    assert worked_out(tmp_path, expression) == value


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("given.missing", "missing"),
        ("nothing", "nothing"),
        ("listKeys('x', '2020')", "listKeys"),
        ("readEnvironmentVariable('NOT_SET')", "NOT_SET"),
        ("'a' * 2", "numbers"),
        ("{ a: 1, a: 2 }", "twice"),
        ("[for each in given: each]", "array"),
        ("given.list[5]", "worked out"),
    ],
)
def test_what_comes_to_nothing(tmp_path: Path, expression: str, says: str) -> None:
    with pytest.raises(BicepError, match=says):
        worked_out(tmp_path, expression)


def test_what_depends_on_names_is_as_long_as_azures(tmp_path: Path) -> None:
    made = worked_out(tmp_path, "split('${uniqueString('a')} ${uniqueString('b')} ${guid('a')} ${guid('a')}', ' ')")
    assert isinstance(made, list)
    first, second, *ids = map(str, made)
    assert first != second
    assert len(first) == len(second) == 13
    assert ids[0] == ids[1]
