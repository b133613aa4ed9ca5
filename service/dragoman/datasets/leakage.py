"""What is in two splits at once, so that what is measured on one was seen in the other. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import RecordingItem
from dragoman.datasets.problems import Check, Problem
from dragoman.datasets.texts import alike, said_in

_SHOWN: Final = 3


def find_leaks(dataset: Dataset) -> list[Problem]:
    """Return what is in two splits: bytes, subjects, speakers, and texts. Items without a split are in none."""
    items = [item for item in dataset.recordings if item.split is not None]
    return [
        *_shared(items, "recording", lambda item: {item.sha256}),
        *_shared(items, "subject", lambda item: {item.subject} if item.subject else set()),
        *_shared(items, "speaker", lambda item: {said.speaker for said in item.utterances if said.speaker}),
        *_texts(dataset),
    ]


def _shared(items: list[RecordingItem], what: str, keys: Callable[[RecordingItem], Iterable[str]]) -> Iterator[Problem]:
    having: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for item in items:
        for key in keys(item):
            having[key].setdefault(str(item.split), []).append(item.id)
    for key, splits in sorted(having.items()):
        if len(splits) > 1:
            name = f" '{key}'" if what != "recording" else ""
            where = "; ".join(f"{split}: {_some(ids)}" for split, ids in sorted(splits.items()))
            yield Problem(Check.LEAKAGE, None, f"The {what}{name} is in several splits: {where}.")


def _texts(dataset: Dataset) -> Iterator[Problem]:
    recordings = [item for item in dataset.recordings if item.split]
    told = [(item.id, str(item.split), said.text) for item in recordings for said in item.utterances]
    told += [(case.id, case.split, text) for case in dataset.cases if case.split for text in said_in(case.given)]
    pairs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one, two in alike([text for _, _, text in told]):
        (first, ours, _), (second, theirs, _) = told[one], told[two]
        if ours != theirs:
            pairs[min(ours, theirs), max(ours, theirs)].append(f"{first} and {second}")
    for (ours, theirs), where in sorted(pairs.items()):
        said = "1 text is" if len(where) == 1 else f"{len(where)} texts are"
        names = _some(list(dict.fromkeys(where)))
        yield Problem(Check.LEAKAGE, None, f"{said} in {ours} and in {theirs}, the same or nearly: {names}.")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
