"""Examples cover the languages, are unlike each other, and are in no evaluation."""

import json
from pathlib import Path

import pytest

from dragoman.datasets.dataset import Dataset, read_dataset
from dragoman.datasets.items import Card, CaseItem
from dragoman.datasets.shots import choose, read_candidates, refuse, write_examples
from dragoman.domain.errors import DatasetInvalidError
from dragoman.insight.content import Example, read_content
from dragoman.resources import flows_folder

PARCEL = "My parcel with the number 5512 was due on Monday."


def example(id_: str, *locales: str, text: str = "") -> Example:
    return Example(
        id=id_, locales=locales, given={"text": text or f"What {id_} says is said by nobody else."}, answer=""
    )


def ids(examples: tuple[Example, ...]) -> list[str]:
    return [each.id for each in examples]


def test_every_language_comes_before_any_comes_twice() -> None:
    candidates = [example("en1", "en-US"), example("en2", "en-US"), example("de", "de-DE"), example("fr", "fr-FR")]
    assert ids(choose(candidates, 3)) == ["en1", "de", "fr"]


def test_few_examples_have_many_languages() -> None:
    candidates = [example("en", "en-US"), example("mixed", "en-US", "de-DE", "fr-FR"), example("es", "es-ES")]
    assert ids(choose(candidates, 2)) == ["mixed", "es"]


def test_among_equals_the_one_unlike_the_others_is_chosen() -> None:
    candidates = [
        example("a", "en-US", text=PARCEL),
        example("b", "en-US", text=PARCEL.replace("5512", "5513")),
        example("c", "en-US", text="The technician comes on Wednesday at nine."),
    ]
    assert ids(choose(candidates, 2)) == ["a", "c"]


def test_so_many_must_be_there() -> None:
    with pytest.raises(DatasetInvalidError, match="2 examples are wanted and 1"):
        choose([example("a", "en-US")], 2)


def evaluation(text: str) -> Dataset:
    case = CaseItem(id="case_1", given={"conversation": {"lines": [{"text": text}]}})
    return Dataset(Card(name="insight", schema_name="cases/1"), (), (case,), Path())


@pytest.mark.parametrize("text", [PARCEL, PARCEL.upper(), PARCEL.replace("5512", "5513")])
def test_what_an_evaluation_says_is_no_example(text: str) -> None:
    candidates = [example("a", "en-US", text=PARCEL), example("b", "en-US")]
    evaluated = evaluation(text)
    (refused,) = refuse(candidates, [evaluated])
    assert (refused.id, refused.dataset) == ("a", f"insight@{evaluated.version}")


def test_an_answer_counts_too_and_small_talk_does_not() -> None:
    leaky = Example(id="a", locales=("en-US",), given={}, answer={"summary": [{"text": PARCEL}]})
    assert [each.id for each in refuse([leaky], [evaluation(PARCEL)])] == ["a"]
    assert refuse([example("b", "en-US", text="Good morning!")], [evaluation("Good morning!")]) == []


@pytest.mark.parametrize("step", ["insight", "answer", "polish"])
def test_the_examples_of_the_steps_are_in_none_of_their_evaluations(step: str) -> None:
    folder = flows_folder() / step
    examples = read_candidates(folder / f"{step}_examples.jsonl", step)
    assert examples == read_content(folder, step).examples
    assert refuse(examples, [read_dataset(folder)]) == []


def test_reviewed_cases_are_candidates(tmp_path: Path) -> None:
    given = {"utterance": {"locale": "de-DE", "text": "Hallo."}, "before": [{"locale": "en-US"}, {"locale": "de-DE"}]}
    lines = [{"given": given, "answer": "x", "reviewed": True}, {"given": given, "answer": "y", "reviewed": False}]
    (tmp_path / "cases.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    (found,) = read_candidates(tmp_path / "cases.jsonl", "polish")
    assert (found.id, found.locales) == ("polish-1", ("de-DE", "en-US"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"given": {}}', "line 1: answer"),
        ('{"given": {}, "answer": "", "locales": ["en"]}', "line 1: 'en' names a language without a region"),
        ('{"given": {}, "answer": "", "mood": "good"}', "mood"),
        ('{"id": "a", "given": {}, "answer": ""}\n{"id": "a", "given": {}, "answer": ""}', "'a' more than once"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "c.jsonl").write_text(line)
    with pytest.raises(DatasetInvalidError, match=says):
        read_candidates(tmp_path / "c.jsonl", "polish")


def test_what_is_written_is_what_a_step_reads(tmp_path: Path) -> None:
    chosen = choose([example("a", "en-US", text="Größe"), example("b", "de-DE")], 2)
    write_examples(chosen, tmp_path / "polish_examples.jsonl")
    for name in ("system", "user"):
        (tmp_path / f"polish_{name}.jinja2").write_text("x")
    assert read_content(tmp_path, "polish").examples == chosen
