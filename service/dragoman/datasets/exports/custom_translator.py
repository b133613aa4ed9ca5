"""Utterances with their translations → documents of Custom Translator: aligned texts or TMX, per language pair.

Source: learn.microsoft.com, Translator, "Custom translation document formats and naming conventions" (2025-05-19): a
pair of ``NAME_xx.align`` is taken line by line, as TMX 1.4b is; "frequently asked questions" (2025-11-18): files below
100 MB; "sentence pairing and alignment" (2025-11-18): from 10,000 sentences on to train with, 500 to 2,500 to tune and
to test with, and at most 250,000 entries of a dictionary.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ElementTree, SubElement

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.exports.outcome import Exported, LeftOut, Part, Written, written
from dragoman.datasets.exports.sentence_pairs import MIN_HELD_OUT, MIN_TRAIN, Pair, sort_entries, sort_pairs
from dragoman.domain.errors import DatasetInvalidError

_MAX_BYTES: Final = 99_000_000
"""Below the 100 MB that a file may have, with room for what TMX wraps each pair in."""

_TMX_PAIR_BYTES: Final = 150
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class TranslatorWishes:
    """How to export. ``dictionaries`` are entries of phrase dictionaries, by source and target language."""

    is_tmx: bool = False
    avoided: tuple[Dataset, ...] = ()
    dictionaries: Mapping[tuple[str, str], Sequence[tuple[str, str]]] = field(default_factory=dict)
    max_bytes: int = _MAX_BYTES


def export_custom_translator(dataset: Dataset, folder: Path, wishes: TranslatorWishes) -> Exported:
    """Write the translations in a dataset into ``folder/SOURCE-TARGET/``, by what they are for.

    Raises:
        DatasetInvalidError: if nobody can tell what a split is for.
    """
    files: list[Written] = []
    notes: list[str] = []
    found = sort_pairs(dataset, wishes.avoided)
    left_out: list[LeftOut] = list(found.left_out)
    for languages, parts in found.pairs.items():
        for part, pairs in sorted(parts.items()):
            files += _write(folder, languages, part, pairs, wishes)
        notes += _notes(languages, {part: len(pairs) for part, pairs in parts.items()})
    for languages, entries in sorted(wishes.dictionaries.items()):
        pairs, refused = sort_entries(entries, f"dictionary {'-'.join(languages)}")
        left_out += refused
        files += _write(folder, languages, "phrase-dictionary", pairs, wishes) if pairs else []
    return Exported(tuple(files), tuple(left_out), tuple(notes))


def _notes(languages: tuple[str, str], counts: Mapping[Part, int]) -> Iterator[str]:
    name = "-".join(languages)
    if (count := counts.get(Part.TRAIN, 0)) < MIN_TRAIN:
        yield f"{name}: {count:,} sentences to train with; below {MIN_TRAIN:,} no training starts."
    for part in (Part.TUNE, Part.TEST):
        if 0 < (count := counts.get(part, 0)) < MIN_HELD_OUT:
            yield f"{name}: {count:,} sentences in '{part}'; {MIN_HELD_OUT} are the suggested least."


def _write(
    folder: Path, languages: tuple[str, str], name: str, pairs: Sequence[Pair], wishes: TranslatorWishes
) -> Iterator[Written]:
    place = folder / "-".join(languages)
    place.mkdir(parents=True, exist_ok=True)
    pages = list(_pages(pairs, wishes))
    for number, page in enumerate(pages, 1):
        stem = name if len(pages) == 1 else f"{name}-{number:03}"
        paths = (
            _write_tmx(place, stem, languages, page) if wishes.is_tmx else _write_aligned(place, stem, languages, page)
        )
        for path in paths:
            yield written(folder, path, len(page))


def _pages(pairs: Sequence[Pair], wishes: TranslatorWishes) -> Iterator[list[Pair]]:
    page: list[Pair] = []
    size = 0
    for pair in pairs:
        longest = max(len(pair.source.encode()), len(pair.target.encode())) + 1
        both = len(pair.source.encode()) + len(pair.target.encode()) + _TMX_PAIR_BYTES
        size += both if wishes.is_tmx else longest
        if page and size > wishes.max_bytes:
            yield page
            page, size = [], both if wishes.is_tmx else longest
        page.append(pair)
    yield page


def _write_aligned(folder: Path, stem: str, languages: tuple[str, str], pairs: Sequence[Pair]) -> tuple[Path, ...]:
    paths = tuple(folder / f"{stem}_{language}.align" for language in languages)
    sides = ([pair.source for pair in pairs], [pair.target for pair in pairs])
    for path, lines in zip(paths, sides, strict=True):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
        # A line too many, and every later sentence would be paired with another.
        if path.read_text(encoding="utf-8").splitlines() != lines:
            raise DatasetInvalidError(f"'{path.name}' does not read as it was written: a text breaks its line.")
    return paths


def _write_tmx(folder: Path, stem: str, languages: tuple[str, str], pairs: Sequence[Pair]) -> tuple[Path]:
    root = Element("tmx", version="1.4")
    SubElement(
        root,
        "header",
        {
            "creationtool": "dragoman",
            "creationtoolversion": version("dragoman"),
            "segtype": "sentence",
            "o-tmf": "dragoman",
            "adminlang": "en",
            "srclang": languages[0],
            "datatype": "plaintext",
        },
    )
    body = SubElement(root, "body")
    for pair in pairs:
        unit = SubElement(body, "tu")
        for language, text in zip(languages, (pair.source, pair.target), strict=True):
            SubElement(SubElement(unit, "tuv", {_XML_LANG: language}), "seg").text = text
    path = folder / f"{stem}.tmx"
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    return (path,)
