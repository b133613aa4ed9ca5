import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from training.text.sentences import (
    LANGUAGES,
    Pattern,
    PatternError,
    Sentence,
    Split,
    load_patterns,
    lonely_values,
    sentences,
)
from training.text.slots import Value, load_slots

HEAD = "[[pattern]]\n"


def write(folder: Path, *patterns: tuple[str, str, str, str]) -> tuple[Pattern, ...]:
    rows = [
        HEAD + "".join(f'{language} = "{text}"\n' for language, text in zip(LANGUAGES, texts, strict=True))
        for texts in patterns
    ]
    (folder / "orders.toml").write_text("\n".join(rows), encoding="utf-8")
    return load_patterns(folder)


def say(patterns: Sequence[Pattern], split: Split, count: int, seed: int = 1) -> list[Sentence]:
    return list(itertools.islice(sentences(seed, split, patterns), count))


def slot_value(slot: str, english: str) -> Value:
    found = load_slots()[slot]
    return next(value for value in map(found.value, range(found.size)) if value.key == english)


@pytest.fixture(scope="module")
def corpus() -> tuple[Pattern, ...]:
    return load_patterns()


@pytest.mark.parametrize(
    ("language", "template", "expected"),
    [
        ("es", "Hable con {person.the} de {product.the}.", {"Hable con el técnico del teléfono."}),
        ("fr", "Parlez à {person.the} de {product.the}.", {"Parlez au technicien du téléphone."}),
        ("fr", "On parle de {product.the} parce que {person.the} vient.", {"On parle du téléphone parce que le"}),
        ("de", "Sprechen Sie mit {person.the_dat} von {product.the_dat}.", {"mit dem Techniker vom Telefon."}),
        ("en", "{person.the} has {product.a}.", {"The technician has a phone."}),
    ],
)
def test_articles_melt_as_the_language_wants(
    tmp_path: Path, language: str, template: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.text.sentences._HESITATION_RATE", 0.0)
    monkeypatch.setattr(Pattern, "is_held_out", property(lambda _: False))
    plain = "{person.the} {product.the}."
    texts = {name: template if name == language else plain for name in LANGUAGES}
    patterns = write(tmp_path, (texts["en"], texts["es"], texts["de"], texts["fr"]))
    everything = {sentence.text(language) for sentence in say(patterns, "train", 4_000)}
    assert all(any(text in sentence for sentence in everything) for text in expected)


def test_codes_times_and_ordinals_are_written_short_and_spoken_out() -> None:
    date = slot_value("date", "14/3").forms
    time = slot_value("time", "7:30").forms
    assert [word.spoken for word in date["de"]["on"]] == ["am", "vierzehnten", "März"]
    assert [word.spoken for word in date["en"]["on"]] == ["on", "the fourteenth of", "March"]
    assert " ".join(word.written for word in time["fr"]["at"]) == "à 7 h 30"
    assert " ".join(word.spoken for word in time["fr"]["at"]) == "à 7 heures 30"
    assert " ".join(word.spoken for word in time["de"]["at"]) == "um 7 Uhr 30"
    assert " ".join(word.spoken for word in time["es"]["at"]) == "a las 7 y media"


@pytest.mark.parametrize(
    ("texts", "cure"),
    [
        (("a {city}", "a {city}", "a", "a {city}"), "orders.toml, pattern 1: de has slots .*; use the same"),
        (("{town}",) * 4, "no slot 'town'; use one of"),
        (("{day.at}",) * 4, "has no form 'at'; see slots.toml"),
        (("¿{city}?",) * 4, "character '¿'; write letters"),
        (("{city}{city2}",) * 4, "put a space between"),
    ],
)
def test_a_malformed_pattern_is_told_how_to_mend(tmp_path: Path, texts: tuple[str, str, str, str], cure: str) -> None:
    with pytest.raises(PatternError, match=cure):
        write(tmp_path, texts)


def test_a_missing_language_is_told(tmp_path: Path) -> None:
    (tmp_path / "orders.toml").write_text(HEAD + 'en = "Yes."\n', encoding="utf-8")
    with pytest.raises(PatternError, match="write exactly en, es, de, fr"):
        load_patterns(tmp_path)


def test_two_references_to_one_slot_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pattern, "is_held_out", property(lambda _: False))
    patterns = write(tmp_path, ("{day} {day2}", "{day} {day2}", "{day} {day2}", "{day} {day2}"))
    spoken = [sentence.text("en").replace(",", "").split()[-2:] for sentence in say(patterns, "train", 300)]
    assert all(one != other for one, other in spoken)


@pytest.mark.slow
def test_one_seed_gives_one_text(corpus: tuple[Pattern, ...]) -> None:
    assert say(corpus, "train", 200) == say(corpus, "train", 200)
    assert say(corpus, "train", 200) != say(corpus, "train", 200, seed=2)


@pytest.mark.slow
def test_training_never_says_what_is_held_out(corpus: tuple[Pattern, ...]) -> None:
    held_out = {pattern.key for pattern in corpus if pattern.is_held_out}
    train = say(corpus, "train", 6_000)
    assert held_out
    assert {sentence.pattern for sentence in train} == {pattern.key for pattern in corpus} - held_out
    assert {sentence.pattern for sentence in say(corpus, "pattern", 1_000)} == held_out
    combined = {sentence.text(language) for sentence in say(corpus, "combination", 3_000) for language in LANGUAGES}
    assert not combined & {sentence.text(language) for sentence in train for language in LANGUAGES}


def test_every_value_is_said_by_two_training_patterns(corpus: tuple[Pattern, ...]) -> None:
    assert lonely_values(corpus) == {}


def test_the_values_of_a_slot_differ_in_every_language() -> None:
    for slot in load_slots().values():
        values = list(map(slot.value, range(min(slot.size, 3_000))))
        for language in LANGUAGES:
            assert len({str(value.forms[language]) for value in values}) == len(values), (slot.name, language)


def test_a_sentence_begins_with_a_capital_and_holds_plain_characters(corpus: tuple[Pattern, ...]) -> None:
    for sentence in say(corpus, "train", 2_000):
        for language in LANGUAGES:
            text = sentence.text(language)
            assert text[0].isupper() or text[0].isdigit(), text
            assert not set(text) - set(" .,?!'-:") - {sign for sign in text if sign.isalnum()}, text
            assert "{" not in text
            assert "  " not in text


def test_some_sentences_hesitate_in_all_languages_at_once(corpus: tuple[Pattern, ...]) -> None:
    hesitating = [sentence for sentence in say(corpus, "train", 2_000) if "ähm," in sentence.text("de").lower()]
    assert 60 < len(hesitating) < 250
    assert all("um," in sentence.text("en").lower() for sentence in hesitating)
    assert all("euh," in sentence.text("fr").lower() for sentence in hesitating)
