"""Few-shot sets for the steps: examples in which every language occurs, unlike each other, and in no evaluation."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.leakage import seen_in
from dragoman.datasets.texts import grams, likeness, normalized, said_in
from dragoman.domain.errors import DatasetInvalidError, LocaleError
from dragoman.domain.language import parse_locale
from dragoman.insight.content import Example

_AGAIN: Final = 0.5
"""What another example of a language is worth, of what the one before was."""


class Candidate(BaseModel):
    """A line of a file of candidates: an ``Example``, or a case that somebody has reviewed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    locales: tuple[str, ...] | None = None
    given: dict[str, JsonValue]
    answer: JsonValue
    reviewed: bool = True
    subject: str | None = None
    session: str | None = None
    tenant: str | None = None
    """Where it was said: whoever erases the session erases it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A candidate that must not be an example, and the dataset that has a text of it."""

    id: str
    dataset: str


def read_candidates(file: Path, step: str) -> tuple[Example, ...]:
    """Return the candidates in a file, without those whose ``reviewed`` is false.

    One without an ``id`` is called by its step and line, one without ``locales`` has every ``locale`` in its ``given``.

    Raises:
        DatasetInvalidError: naming the line that is wrong.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetInvalidError(f"'{file}' cannot be read: {error}") from error
    examples = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            candidate = Candidate.model_validate_json(line)
            if candidate.reviewed:
                examples.append(to_example(candidate, f"{step}-{number}"))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "line"
            raise DatasetInvalidError(
                f"{file}, line {number}: {where}: {first['msg']}. A candidate has 'given' and 'answer'."
            ) from error
        except LocaleError as error:
            raise DatasetInvalidError(f"{file}, line {number}: {error}") from error
    twice = [id_ for id_, times in Counter(example.id for example in examples).items() if times > 1]
    if twice:
        raise DatasetInvalidError(f"{file} names '{twice[0]}' more than once.")
    return tuple(examples)


def refuse(examples: Sequence[Example], avoided: Sequence[Dataset]) -> list[Refused]:
    """Return the examples that share a telling text with an evaluation, or nearly: it would measure memory."""
    seen = seen_in((text for example in examples for text in _texts(example)), avoided)
    found: dict[str, str] = {}
    for example in examples:
        for source in filter(None, (seen.get(normalized(text)) for text in _texts(example))):
            found.setdefault(example.id, source)
    return [Refused(example.id, found[example.id]) for example in examples if example.id in found]


def choose(examples: Sequence[Example], count: int) -> tuple[Example, ...]:
    """Return so many examples, in the order in which they were chosen, each time the best of what is left.

    The best brings most languages that none has yet; then languages that few have; then what is least like any other;
    then what comes first.

    Raises:
        DatasetInvalidError: if there are not so many.
    """
    if len(examples) < count:
        raise DatasetInvalidError(f"{count} examples are wanted and {len(examples)} can be had; write more candidates.")
    made_of = {example.id: grams(" ".join(_texts(example))) for example in examples}
    having: Counter[str] = Counter()
    chosen: list[Example] = []

    def worth(example: Example) -> tuple[float, float, float]:
        spoken = example.locales
        fresh = sum(not having[locale] for locale in spoken)
        rare = sum(_AGAIN ** having[locale] for locale in spoken) / max(len(spoken), 1)
        like = max((likeness(made_of[example.id], made_of[other.id]) for other in chosen), default=0.0)
        return fresh, rare, -like

    while len(chosen) < count:
        taken = {example.id for example in chosen}
        best = max((example for example in examples if example.id not in taken), key=worth)
        chosen.append(best)
        having.update(best.locales)
    return tuple(chosen)


def write_examples(examples: Iterable[Example], file: Path) -> None:
    """Write examples as a step reads them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{example.model_dump_json()}\n" for example in examples), encoding="utf-8")


def to_example(candidate: Candidate, default_id: str) -> Example:
    """Return a candidate as an example; one without languages has those that are in what it is given.

    Raises:
        LocaleError: if one of them is none.
    """
    named = candidate.locales if candidate.locales is not None else tuple(_locales(candidate.given))
    locales = tuple(dict.fromkeys(parse_locale(locale) for locale in named))
    return Example(id=candidate.id or default_id, locales=locales, given=candidate.given, answer=candidate.answer)


def _texts(example: Example) -> Iterator[str]:
    yield from said_in(example.given)
    yield from said_in(example.answer)


def _locales(value: JsonValue) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                if key == "locale" and isinstance(inner, str):
                    yield inner
                else:
                    yield from _locales(inner)
        case list():
            for inner in value:
                yield from _locales(inner)
