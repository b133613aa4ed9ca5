"""How a text gets from one language to another: through one model, or through English and two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.domain.errors import LocaleError
from dragoman.domain.language import base_language
from dragoman.engines.ctranslate.languages import canonical, closest
from dragoman.engines.ctranslate.model import TranslationModel

PIVOT: Final = "en"


@dataclass(frozen=True, slots=True)
class Leg:
    """One pass through one model; ``source`` and ``target`` are keys of its languages."""

    model: TranslationModel
    source: str
    target: str


Route = tuple[Leg, ...]


def find_route(models: Sequence[TranslationModel], source: str, target: str) -> Route | None:
    """Return the way from one tag to another, or ``None`` if there is none.

    A direct way wins, and among those the one whose languages are closest to the tags (see ``closest``); of equals,
    the first model. Without one, two legs meet in English.
    """
    try:
        if leg := _direct(models, source, target):
            return (leg,)
        if base_language(canonical(source)) == base_language(canonical(target)):
            return None
        first, second = _direct(models, source, PIVOT), _direct(models, PIVOT, target)
    except LocaleError:
        return None
    return (first, second) if first and second else None


def _direct(models: Sequence[TranslationModel], source: str, target: str) -> Leg | None:
    found: list[tuple[int, Leg]] = []
    for model in models:
        heard, wanted = closest(source, model.sources), closest(target, model.targets)
        if heard and wanted and heard[1] != wanted[1]:
            found.append((heard[0] + wanted[0], Leg(model, heard[1], wanted[1])))
    return min(found, key=lambda ranked: ranked[0])[1] if found else None
