"""Texts that say the same are found, in any script, and small talk is not."""

import random
from itertools import combinations

import pytest

from dragoman.datasets.texts import alike, grams, is_telling, likeness, normalized, said_in


@pytest.mark.parametrize(
    ("one", "two", "are_alike"),
    [
        ("My parcel was due on Monday.", "my parcel  was due, on monday", True),
        ("The repair of the heating would cost 443 euros.", "The repair of the heating would cost 445 euros.", True),
        ("My parcel was due on Monday.", "The technician comes on Wednesday.", False),
        ("Yes, that's right.", "Yes, that's right.", False),
        ("我的包裹应该在星期一送到,但是没有来。", "我的包裹应该在星期一送到但是没有来", True),
        ("Die Straße ist gesperrt worden.", "DIE STRASSE IST GESPERRT WORDEN", True),
        ("", "", False),
    ],
)
def test_texts_are_alike_whatever_their_case_and_punctuation(one: str, two: str, are_alike: bool) -> None:
    assert (list(alike([one, two])) == [(0, 1)]) is are_alike


def test_every_pair_is_found() -> None:
    words = ["parcel", "monday", "heating", "call", "technician", "order", "number", "price", "broken", "late"]
    rng = random.Random(3)
    texts = [" ".join(rng.choices(words, k=rng.randint(2, 6))) for _ in range(600)]
    told = {number: grams(text) for number, text in enumerate(texts) if is_telling(text)}
    wanted = {(a, b) for a, b in combinations(sorted(told), 2) if likeness(told[a], told[b]) >= 0.7}
    assert len(wanted) > 20
    assert set(alike(texts)) == wanted


def test_what_is_normalized_has_no_case_and_no_marks() -> None:
    assert normalized("  ¿Cuánto,  CUESTA — 3½? ") == "cuánto cuesta 31 2"


def test_texts_are_found_however_deep() -> None:
    assert list(said_in({"a": ["x", {"b": "y"}, 3, None], "c": "z"})) == ["x", "y", "z"]
