"""Which recording goes into which split: voices stay together, languages spread evenly, a seed always says the same.

Pure. Groups are taken in an order that the seed decides, large ones before small ones, and each goes where it brings
the shares of all languages nearest to what is wanted, after Sechidis, Tsoumakas and Vlahavas, "On the stratification of
multi-label data" (ECML 2011).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import RecordingItem
from dragoman.domain.errors import DatasetInvalidError

_TOLERANCE: Final = 0.001
_WHOLE: Final = ""
"""Stands for all of a recording, beside the languages in it."""


class By(StrEnum):
    """What must not be in two splits. The same bytes never are."""

    SUBJECT = "subject"
    SPEAKER = "speaker"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class _Group:
    key: str
    items: tuple[RecordingItem, ...]
    spoken_ms: Mapping[str, int]

    @property
    def size(self) -> int:
        return self.spoken_ms[_WHOLE]


def parse_parts(text: str) -> dict[str, float]:
    """Return the parts that ``train=0.8,dev=0.1,test=0.1`` means, in that order.

    Raises:
        DatasetInvalidError: if it is not written like this, or they do not add up to 1.
    """
    parts: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = (piece.strip() for piece in part.partition("="))
        try:
            parts[name] = float(share)
        except ValueError as error:
            raise DatasetInvalidError(f"'{part}' is no part; write them like train=0.8,dev=0.1,test=0.1.") from error
        if not name or not 0 < parts[name] <= 1:
            raise DatasetInvalidError(f"'{part}' is no part; its share must be between 0 and 1.")
    if abs(sum(parts.values()) - 1) > _TOLERANCE or len(parts) != text.count(",") + 1:
        raise DatasetInvalidError(
            f"The parts '{text}' are not a whole; their shares must add up to 1, each named once."
        )
    return parts


def split(dataset: Dataset, by: By, parts: Mapping[str, float], seed: int) -> Dataset:
    """Return the dataset with a split for every recording; its card says how.

    A recording that does not say whose voice it is is a group of its own.

    Raises:
        DatasetInvalidError: if there are fewer groups than parts, or none says whose voice it is.
    """
    if by is not By.RECORDING and not any(_keys(item, by) for item in dataset.recordings):
        raise DatasetInvalidError(f"No recording names a {by}; name them in the manifest, or split by something else.")
    groups = _groups(dataset.recordings, by, seed)
    if len(groups) < len(parts):
        raise DatasetInvalidError(
            f"There are {len(groups)} groups by {by} for {len(parts)} parts; make fewer parts, or split by recording."
        )
    where = _assign(groups, parts)
    items = tuple(item.model_copy(update={"split": where[item.id]}) for item in dataset.recordings)
    wanted = ",".join(f"{name}={share:g}" for name, share in parts.items())
    card = dataset.card.model_copy(
        update={"parent": dataset.version, "change": f"split: by {by} into {wanted}, seed {seed}"}
    )
    return replace(dataset, recordings=items, card=card)


def _keys(item: RecordingItem, by: By) -> set[str]:
    match by:
        case By.SUBJECT:
            return {item.subject} if item.subject else set()
        case By.SPEAKER:
            return {said.speaker for said in item.utterances if said.speaker}
        case By.RECORDING:
            return set()


def _groups(items: Sequence[RecordingItem], by: By, seed: int) -> list[_Group]:
    """Return recordings that hang together by a voice or by being the same, in the order of the seed."""
    leader = list(range(len(items)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    first: dict[tuple[str, str], int] = {}
    for number, item in enumerate(items):
        for key in (("bytes", item.sha256), *(("voice", voice) for voice in _keys(item, by))):
            leader[find(number)] = find(first.setdefault(key, number))
    together: defaultdict[int, list[RecordingItem]] = defaultdict(list)
    for number, item in enumerate(items):
        together[find(number)].append(item)
    groups = [_group(those) for those in together.values()]
    return sorted(groups, key=lambda group: (-group.size.bit_length(), _drawn(seed, group.key)))


def _group(items: Sequence[RecordingItem]) -> _Group:
    spoken: defaultdict[str, int] = defaultdict(int)
    for item in items:
        spoken[_WHOLE] += item.duration_ms
        for said in item.utterances:
            spoken[said.locale] += said.end_ms - said.start_ms
    return _Group(min(item.id for item in items), tuple(items), spoken)


def _drawn(seed: int, key: str) -> str:
    return sha256(f"{seed}\0{key}".encode()).hexdigest()


def _assign(groups: Sequence[_Group], parts: Mapping[str, float]) -> dict[str, str]:
    total = _sum(groups)
    chosen: dict[str, list[_Group]] = {name: [] for name in parts}
    have: dict[str, defaultdict[str, float]] = {name: defaultdict(float) for name in parts}
    for group in groups:

        def gain(name: str, group: _Group = group) -> float:
            """Return how much nearer to the wanted shares a part comes with this group."""
            nearer = 0.0
            for language, milliseconds in group.spoken_ms.items():
                share, whole = have[name][language], max(total[language], 1)
                after = share + milliseconds / whole
                nearer += (share - parts[name]) ** 2 - (after - parts[name]) ** 2
            return nearer

        best = max(parts, key=gain)
        chosen[best].append(group)
        for language, milliseconds in group.spoken_ms.items():
            have[best][language] += milliseconds / max(total[language], 1)
    _fill_empty(chosen)
    return {item.id: name for name, those in chosen.items() for group in those for item in group.items}


def _fill_empty(chosen: dict[str, list[_Group]]) -> None:
    """Give every part at least one group: the smallest of the part that has most."""
    for name in [name for name, those in chosen.items() if not those]:
        giver = max(chosen, key=lambda other: len(chosen[other]))
        smallest = min(chosen[giver], key=lambda group: group.size)
        chosen[giver].remove(smallest)
        chosen[name].append(smallest)


def _sum(groups: Iterable[_Group]) -> Mapping[str, int]:
    total: defaultdict[str, int] = defaultdict(int)
    for group in groups:
        for language, milliseconds in group.spoken_ms.items():
            total[language] += milliseconds
    return total
