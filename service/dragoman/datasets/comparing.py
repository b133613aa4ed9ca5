"""What changed between two datasets, or two versions of one."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from dragoman.datasets.dataset import Dataset
from dragoman.domain.errors import DatasetInvalidError


@dataclass(frozen=True, slots=True)
class Changed:
    """An item that both have, and the fields in which it differs."""

    id: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """How two datasets differ. Counts and milliseconds are of the second less those of the first."""

    card: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Changed, ...]
    items: int
    audio_ms: int

    @property
    def is_none(self) -> bool:
        """Return whether they are the same."""
        return not (self.card or self.added or self.removed or self.changed)


def compare(old: Dataset, new: Dataset) -> Difference:
    """Return what must be done to the first to get the second; everything is sorted, and items are told by their ids.

    Raises:
        DatasetInvalidError: if one holds recordings and the other cases.
    """
    if old.card.schema_name != new.card.schema_name:
        raise DatasetInvalidError(f"'{old.card.name}' and '{new.card.name}' hold different things: recordings, cases.")
    ours, theirs = _items(old), _items(new)
    both = sorted(ours.keys() & theirs.keys())
    changed = [Changed(id_, _fields(ours[id_], theirs[id_])) for id_ in both]
    return Difference(
        card=_fields(old.card, new.card),
        added=tuple(sorted(theirs.keys() - ours.keys())),
        removed=tuple(sorted(ours.keys() - theirs.keys())),
        changed=tuple(change for change in changed if change.fields),
        items=len(theirs) - len(ours),
        audio_ms=new.audio_ms - old.audio_ms,
    )


def _items(dataset: Dataset) -> Mapping[str, BaseModel]:
    recordings = {item.id: item for item in dataset.recordings}
    return {**recordings, **{case.id: case for case in dataset.cases}}


def _fields(old: BaseModel, new: BaseModel) -> tuple[str, ...]:
    names = sorted({*type(old).model_fields, *type(new).model_fields})
    return tuple(name for name in names if getattr(old, name, None) != getattr(new, name, None))
