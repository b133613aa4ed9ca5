"""Which pairs of sentences a translator can be taught with: as Custom Translator cleans them, but said aloud. Pure.

Source: learn.microsoft.com, Translator, "Custom Translation data filtering" (2025-05-19), "sentence pairing and
alignment" (2025-11-18), "dictionary" and "model training" (2025-05-19).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.exports.outcome import LeftOut, Part, Reason, part_of
from dragoman.datasets.leakage import seen_in
from dragoman.datasets.texts import normalized
from dragoman.domain.language import base_language

MIN_TRAIN: Final = 10_000
MIN_HELD_OUT: Final = 500
MAX_HELD_OUT: Final = 2_500
MAX_DICTIONARY: Final = 250_000

_UNSPACED: Final = ("zh", "ja", "ko")
_MOST_WORDS: Final = 100
_LEAST_CHARS: Final = 3
_MOST_CHARS: Final = 2_000
_LEAST_LETTERS: Final = 0.01
_MOST_ENTRY_WORDS: Final = 50
_END: Final = re.compile(r"([.!?。！？])\1+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and what it means; ``item`` says where it is from."""

    item: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """Pairs by language pair and part, and what is in none."""

    pairs: Mapping[tuple[str, str], Mapping[Part, tuple[Pair, ...]]]
    left_out: tuple[LeftOut, ...]


def sort_pairs(dataset: Dataset, avoided: Sequence[Dataset]) -> Sorted:
    """Return the pairs of a dataset, each once: what tests is not taught, and what tunes neither.

    Raises:
        DatasetInvalidError: if nobody can tell what a split is for.
    """
    left_out: list[LeftOut] = []
    by_languages: dict[tuple[str, str], dict[Part, list[Pair]]] = {}
    seen = seen_in((text for _, _, pair in _pairs(dataset) for text in (pair.source, pair.target)), avoided)
    for languages, part, raw in _pairs(dataset):
        pair = Pair(raw.item, clean(raw.source), clean(raw.target))
        evaluation = seen.get(normalized(raw.source)) or seen.get(normalized(raw.target))
        if unfit := _unfit(pair, languages):
            left_out.append(LeftOut(_where(pair, languages), *unfit))
        elif part is not Part.TEST and evaluation:
            left_out.append(LeftOut(_where(pair, languages), Reason.EVALUATION, f"it shares a text with {evaluation}"))
        else:
            by_languages.setdefault(languages, {}).setdefault(part, []).append(pair)
    return Sorted(
        {languages: _distinct(parts, languages, left_out) for languages, parts in sorted(by_languages.items())},
        tuple(left_out),
    )


def sort_entries(entries: Iterable[tuple[str, str]], where: str) -> tuple[tuple[Pair, ...], tuple[LeftOut, ...]]:
    """Return the entries of a phrase dictionary, and those that a service would drop, or should not have.

    A source may stand there once: of several the service takes the last without a word.
    """
    kept: dict[str, Pair] = {}
    left_out: list[LeftOut] = []
    for number, (source, target) in enumerate(entries, 1):
        pair = Pair(f"{where}, line {number}", " ".join(source.split()), " ".join(target.split()))
        if unfit := _unfit_entry(pair):
            left_out.append(LeftOut(pair.item, *unfit))
        elif pair.source in kept:
            left_out.append(LeftOut(pair.item, Reason.DUPLICATE, f"its source stands in {kept[pair.source].item}"))
        elif len(kept) == MAX_DICTIONARY:
            left_out.append(LeftOut(pair.item, Reason.NUMBER, f"a dictionary has at most {MAX_DICTIONARY:,} entries"))
        else:
            kept[pair.source] = pair
    return tuple(kept.values()), tuple(left_out)


def clean(text: str) -> str:
    """Return a sentence in one line, with one mark at its end; full-width letters and digits stay as they are."""
    return _END.sub(r"\1", " ".join(text.split()))


def _pairs(dataset: Dataset) -> Iterator[tuple[tuple[str, str], Part, Pair]]:
    for item in dataset.recordings:
        part = part_of(item.split)
        for said in item.utterances:
            for target, text in sorted(said.translations.items()):
                languages = base_language(said.locale), base_language(target)
                if languages[0] != languages[1]:
                    yield languages, part, Pair(f"{item.id} {said.start_ms} ms", said.text, text)


def _unfit(pair: Pair, languages: tuple[str, str]) -> tuple[Reason, str] | None:
    for text, language in zip((pair.source, pair.target), languages, strict=True):
        letters = sum(char.isalpha() for char in text)
        if "\ufffd" in text:
            return Reason.CHARACTERS, "it was decoded wrongly once: it contains U+FFFD"
        if not text or letters < _LEAST_LETTERS * len(text):
            return Reason.TEXT, "there are hardly any letters in it"
        if language in _UNSPACED:
            if len(text) > _MOST_CHARS:
                return Reason.LENGTH, f"{len(text)} characters in {language}; {_MOST_CHARS} at most"
            continue
        words = len(text.split())
        if not 1 < words <= _MOST_WORDS:
            return Reason.LENGTH, f"{words} word{'s' * (words != 1)} in {language}; 2 to {_MOST_WORDS} are taken"
        if len(text) < _LEAST_CHARS:
            return Reason.LENGTH, f"{len(text)} characters in {language}; {_LEAST_CHARS} at least"
    return None


def _unfit_entry(pair: Pair) -> tuple[Reason, str] | None:
    if not pair.source or not pair.target:
        return Reason.TEXT, "one side is empty"
    if not any(char.isalpha() for char in pair.source):
        return Reason.TEXT, "it is only a number, which no dictionary should hold"
    if len(pair.source) <= _LEAST_CHARS and pair.source.isascii():
        return Reason.LENGTH, "two or three letters are replaced where nobody means them"
    if max(len(pair.source.split()), len(pair.target.split())) > _MOST_ENTRY_WORDS:
        return Reason.LENGTH, f"an entry has at most {_MOST_ENTRY_WORDS} words"
    return None


def _distinct(
    parts: Mapping[Part, Sequence[Pair]], languages: tuple[str, str], left_out: list[LeftOut]
) -> dict[Part, tuple[Pair, ...]]:
    """Return every pair once; what is in the test is in no other part, and what tunes is not taught."""
    kept: dict[Part, tuple[Pair, ...]] = {}
    sources: dict[str, Part] = {}
    for part in (Part.TEST, Part.TUNE, Part.TRAIN):
        ours: dict[tuple[str, str], Pair] = {}
        for pair in parts.get(part, ()):
            source, key = normalized(pair.source), (pair.source, pair.target)
            if sources.get(source, part) is not part:
                left_out.append(
                    LeftOut(_where(pair, languages), Reason.SHARED, f"its source is in the part '{sources[source]}'")
                )
            elif key in ours:
                left_out.append(LeftOut(_where(pair, languages), Reason.DUPLICATE, f"it is {ours[key].item} again"))
            elif part is not Part.TRAIN and len(ours) == MAX_HELD_OUT:
                left_out.append(
                    LeftOut(
                        _where(pair, languages), Reason.NUMBER, f"'{part}' takes {MAX_HELD_OUT:,} sentences at most"
                    )
                )
            else:
                sources[source] = part
                ours[key] = pair
        if ours:
            kept[part] = tuple(ours.values())
    return kept


def _where(pair: Pair, languages: tuple[str, str]) -> str:
    return f"{pair.item} {'-'.join(languages)}"
