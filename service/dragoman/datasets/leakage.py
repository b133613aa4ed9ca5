"""What is in two splits at once, so that what is measured on one was seen in the other. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import RecordingItem
from dragoman.datasets.problems import Check, Problem
from dragoman.datasets.texts import alike, normalized, said_in

_SHOWN: Final = 3


def find_leaks(dataset: Dataset) -> list[Problem]:
    """Return what is in two splits: bytes, subjects, speakers, and texts. Items without a split are in none.

    Where a recording names its subject, labels of speakers in it are not looked at: "A" may be somebody else elsewhere.
    """
    items = [item for item in dataset.recordings if item.split is not None]
    unnamed = [item for item in items if not item.subject]
    return [
        *_shared(items, "recording", lambda item: {item.sha256}),
        *_shared(items, "subject", lambda item: {item.subject} if item.subject else set()),
        *_shared(unnamed, "speaker", lambda item: {said.speaker for said in item.utterances if said.speaker}),
        *_texts(dataset),
    ]


def seen_in(ours: Iterable[str], evaluations: Sequence[Dataset]) -> dict[str, str]:
    """Return the telling texts that an evaluation has too, or nearly, each with the reference of the first that has it.

    Texts are as ``normalized`` makes them: what is taught must not be in what measures, or that measures memory.
    """
    plain = list(dict.fromkeys(map(normalized, ours)))
    found: dict[str, str] = {}
    for evaluation in evaluations:
        theirs = dict.fromkeys(map(normalized, texts_of(evaluation)))
        both = [*plain, *theirs]
        for one, other in alike(both):
            if one < len(plain) <= other:
                found.setdefault(both[one], evaluation.reference)
    return found


def texts_of(dataset: Dataset) -> Iterator[str]:
    """Yield every text in a dataset: of cases, and of what is said in recordings and what it means."""
    for case in dataset.cases:
        yield from said_in(case.given)
    for item in dataset.recordings:
        for said in item.utterances:
            yield said.text
            yield from said.translations.values()


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
    told: dict[tuple[str, str], tuple[str, str]] = {}
    for id_, name, text in _said(dataset):
        told.setdefault((name, normalized(text)), (id_, text))  # what is said often is looked at once
    ids, splits = [id_ for id_, _ in told.values()], [name for name, _ in told]
    pairs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one, two in alike([text for _, text in told.values()]):
        if splits[one] != splits[two]:
            pair = min(splits[one], splits[two]), max(splits[one], splits[two])
            pairs[pair].append(f"{ids[one]} and {ids[two]}")
    for (ours, theirs), where in sorted(pairs.items()):
        pairs_say = "1 text says" if len(where) == 1 else f"{len(where)} pairs of texts say"
        names = _some(list(dict.fromkeys(where)))
        yield Problem(Check.LEAKAGE, None, f"{pairs_say} the same in {ours} and in {theirs}, or nearly: {names}.")


def _said(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    for item in dataset.recordings:
        if item.split:
            yield from ((item.id, item.split, said.text) for said in item.utterances)
    for case in dataset.cases:
        if case.split:
            yield from ((case.id, case.split, text) for text in said_in(case.given))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
