import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.engines.ctranslate.sentences import cut, join


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hello there", ["Hello there"]),
        ("It rains today. We stay home.", ["It rains today. ", "We stay home."]),
        ("Really?! Yes!  Good.", ["Really?! ", "Yes!  ", "Good."]),
        ("Ask Dr. Smith or Prof. Jones.", ["Ask Dr. Smith or Prof. Jones."]),  # abbreviations
        ("Das ist z. B. am 3. Mai so.", ["Das ist z. B. am 3. Mai so."]),
        ("Version 2.5 of example.com works.", ["Version 2.5 of example.com works."]),
        ('He said "Leave." Then he left.', ['He said "Leave." ', "Then he left."]),
        ("你好。今天好吗？很好！", ["你好。", "今天好吗？", "很好！"]),
        ("आज बारिश है। हम घर पर हैं।", ["आज बारिश है। ", "हम घर पर हैं।"]),
        ("First line\nsecond line", ["First line\n", "second line"]),
    ],
)
def test_a_text_is_cut_into_sentences(text: str, pieces: list[str]) -> None:
    assert cut(text, 100, words) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("So it was. And so it is.", ["So it was. ", "And so it is."]),  # at stops that may be abbreviations
        ("one two, three four, five six", ["one two, three four, ", "five six"]),  # between clauses, packed
        ("one two three four five six", ["one two three four ", "five six"]),  # between words
    ],
)
def test_a_long_sentence_is_cut_where_it_harms_least(text: str, pieces: list[str]) -> None:
    assert cut(text, 4, words) == pieces


def test_text_without_any_gap_is_cut_between_characters() -> None:
    assert cut("一二三四五", 2, len) == ["一二", "三四", "五"]


@given(st.text(alphabet="abcd .,!?\n。，é1", max_size=80), st.integers(1, 12))
def test_pieces_lose_nothing_and_keep_the_limit(text: str, limit: int) -> None:
    pieces = cut(text, limit, len)
    assert "".join(pieces) == text
    assert all(1 <= len(piece) <= limit for piece in pieces)


@pytest.mark.parametrize(
    ("pieces", "translations", "separator", "expected"),
    [
        (["a. ", "b."], ["x.", "y."], " ", "x. y."),
        (["a。", "b。"], ["x.", "y."], " ", "x. y."),  # the target's habit counts
        (["a. ", "b."], ["x。", "y。"], "", "x。y。"),
        (["a\n\n", "b"], ["x", "y"], " ", "x\n\ny"),
        ([], [], " ", ""),
    ],
)
def test_translations_are_joined(pieces: list[str], translations: list[str], separator: str, expected: str) -> None:
    assert join(pieces, translations, separator) == expected
