"""Documents of Custom Translator are aligned line by line, and what it would drop is refused by name."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.exports.custom_translator import TranslatorWishes, export_custom_translator
from dragoman.datasets.exports.outcome import Reason
from dragoman.datasets.exports.sentence_pairs import clean, sort_entries
from dragoman.datasets.items import Card, RecordingItem, Reference

CARD = Card(name="calls", license="CC0-1.0", consent="machine", provenance="made for a test")
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

Said = tuple[str, str, Mapping[str, str]]


def sentence(number: int) -> Said:
    return "en-US", f"Sentence number {number} here.", {"de": f"Satz Nummer {number} hier."}


def dataset(by_split: Mapping[str | None, list[Said]], name: str = "calls") -> Dataset:
    items = []
    for split, sentences in by_split.items():
        utterances = [
            Reference(start_ms=at * 1_000, end_ms=at * 1_000 + 900, locale=locale, text=text, translations=translations)
            for at, (locale, text, translations) in enumerate(sentences)
        ]
        items.append(
            RecordingItem(
                file=f"{split}.wav", sha256="0" * 64, duration_ms=99_000, split=split, utterances=tuple(utterances)
            )
        )
    return Dataset(CARD.model_copy(update={"name": name}), tuple(items), (), Path())


def test_sides_have_the_same_lines_in_the_same_order(tmp_path: Path) -> None:
    said: list[Said] = [
        ("en-US", "Good  morning\nto you!!", {"de": "Guten Morgen!", "pt-BR": "Bom dia"}),
        ("en-GB", "How are <you>?", {"de": "Wie geht & steht es?"}),
    ]
    exported = export_custom_translator(dataset({None: said}), tmp_path, TranslatorWishes())
    assert [file.file for file in exported.files] == [
        "en-de/train_en.align", "en-de/train_de.align", "en-pt/train_en.align", "en-pt/train_pt.align"
    ]  # fmt: skip
    assert (tmp_path / "en-de" / "train_en.align").read_text() == "Good morning to you!\nHow are <you>?\n"
    assert (tmp_path / "en-de" / "train_de.align").read_text() == "Guten Morgen!\nWie geht & steht es?\n"
    assert exported.notes[0].startswith("en-de: 2 sentences to train with")


def test_tmx_says_the_same(tmp_path: Path) -> None:
    said: list[Said] = [("en-US", "How are <you>?", {"de": "Wie geht & steht es?"})]
    export_custom_translator(dataset({None: said}), tmp_path, TranslatorWishes(is_tmx=True))
    root = ElementTree.parse(tmp_path / "en-de" / "train.tmx").getroot()
    assert root.attrib == {"version": "1.4"}
    header = root.find("header")
    assert header is not None
    assert {"creationtool", "creationtoolversion", "segtype", "o-tmf", "adminlang", "srclang", "datatype"} == set(
        header.attrib
    )
    assert [(tuv.get(XML_LANG), tuv.findtext("seg")) for tuv in root.iter("tuv")] == [
        ("en", "How are <you>?"),
        ("de", "Wie geht & steht es?"),
    ]


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("Hello", "Guten Tag", Reason.LENGTH),
        ("Good day", "Hallo", Reason.LENGTH),
        ("word " * 101, "Das ist lang", Reason.LENGTH),
        ("12 34 56", "12 34 56", Reason.TEXT),
        ("It is \ufffd broken", "Es ist kaputt", Reason.CHARACTERS),
        ("Good day", " ", Reason.TEXT),
    ],
)
def test_what_would_be_dropped_is_named(tmp_path: Path, source: str, target: str, reason: Reason) -> None:
    said: list[Said] = [("en-US", source, {"de": target}), ("en-US", "This one stays.", {"de": "Dies hier bleibt."})]
    exported = export_custom_translator(dataset({None: said}), tmp_path, TranslatorWishes())
    (left_out,) = exported.left_out
    assert (left_out.item, left_out.reason) == ("None.wav 0 ms en-de", reason)
    assert [file.entries for file in exported.files] == [1, 1]


def test_languages_without_spaces_are_counted_by_characters(tmp_path: Path) -> None:
    said: list[Said] = [("zh-CN", "谢谢", {"ja": "ありがとう"}), ("zh-CN", "谢" * 2_001, {"ja": "長い"})]
    exported = export_custom_translator(dataset({None: said}), tmp_path, TranslatorWishes())
    assert [each.reason for each in exported.left_out] == [Reason.LENGTH]
    assert (tmp_path / "zh-ja" / "train_zh.align").read_text(encoding="utf-8") == "谢谢\n"


def test_what_tests_and_tunes_is_not_taught(tmp_path: Path) -> None:
    one, two, three = (sentence(at) for at in (1, 2, 3))
    by_split: dict[str | None, list[Said]] = {None: [one, two, three, three], "dev": [two, one], "test": [one]}
    exported = export_custom_translator(dataset(by_split), tmp_path, TranslatorWishes())
    lines = {file.file: (tmp_path / file.file).read_text().splitlines() for file in exported.files}
    assert lines["en-de/test_en.align"] == ["Sentence number 1 here."]
    assert lines["en-de/tune_en.align"] == ["Sentence number 2 here."]
    assert lines["en-de/train_en.align"] == ["Sentence number 3 here."]
    assert sorted(each.reason for each in exported.left_out) == [Reason.DUPLICATE, *[Reason.SHARED] * 3]


def test_what_an_evaluation_has_is_not_taught(tmp_path: Path) -> None:
    gate = dataset({"test": [("en-US", "The parcel left the depot on Monday.", {})]}, "gate")
    said: list[Said] = [
        ("en-US", "The parcel left the depot on Monday!", {"de": "Das Paket ging am Montag."}),
        ("en-US", "Nobody was told about it.", {"de": "Niemand erfuhr davon."}),
    ]
    exported = export_custom_translator(dataset({None: said}), tmp_path, TranslatorWishes(avoided=(gate,)))
    (left_out,) = exported.left_out
    assert left_out.reason is Reason.EVALUATION
    assert gate.reference in left_out.why


def test_files_stay_below_the_largest(tmp_path: Path) -> None:
    said: list[Said] = [("en-US", f"Sentence number {at:03} here.", {"de": f"Satz Nummer {at:03}."}) for at in range(9)]
    exported = export_custom_translator(dataset({None: said}), tmp_path, TranslatorWishes(max_bytes=120))
    assert [file.entries for file in exported.files] == [4, 4, 4, 4, 1, 1]
    assert all(file.bytes <= 120 for file in exported.files)
    assert exported.files[0].file == "en-de/train-001_en.align"


def test_a_dictionary_has_every_source_once_and_nothing_dangerous(tmp_path: Path) -> None:
    entries = [("Contoso Desk", "Contoso-Schalter"), ("Contoso Desk", "Schalter"), ("42", "42"), ("SQL", "SQL")]
    entries += [("City of Hamburg", ""), ("w " * 51, "x"), ("contoso desk", "contoso-schalter")]
    kept, left_out = sort_entries(entries, "dictionary")
    assert [(pair.source, pair.target) for pair in kept] == [
        ("Contoso Desk", "Contoso-Schalter"),
        ("contoso desk", "contoso-schalter"),  # entries are case-sensitive
    ]
    assert [each.reason for each in left_out] == [
        Reason.DUPLICATE, Reason.TEXT, Reason.LENGTH, Reason.TEXT, Reason.LENGTH
    ]  # fmt: skip
    wishes = TranslatorWishes(dictionaries={("en", "de"): entries})
    said: list[Said] = [("en-US", "This one stays.", {"de": "Dies hier bleibt."})]
    export_custom_translator(dataset({None: said}), tmp_path, wishes)
    assert (tmp_path / "en-de" / "phrase-dictionary_de.align").read_text().splitlines() == [
        "Contoso-Schalter",
        "contoso-schalter",
    ]


def test_one_mark_ends_a_sentence() -> None:
    assert clean(" What??  Really!!! 3...5 ") == "What? Really! 3...5"
