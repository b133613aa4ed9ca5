import pytest

from dragoman.engines.ctranslate.guard import is_runaway, longest_loop, longest_translation


@pytest.mark.parametrize(
    ("tokens", "length"),
    [
        ("", 0),
        ("a", 0),
        ("a b c d", 0),
        ("a a", 2),
        ("x a b a b y", 4),
        ("a b c a b c a b", 8),  # the last turn need not be complete
        ("a b b c", 2),
    ],
)
def test_the_longest_loop(tokens: str, length: int) -> None:
    assert longest_loop(tokens.split()) == length


@pytest.mark.parametrize(
    ("source", "translation", "runaway"),
    [
        ("good morning", "guten morgen", False),
        ("no no no no", "nein nein nein nein", False),
        ("ha " * 10, "ja " * 15, False),  # it loops because its source does
        ("good morning", "guten " * 12, True),
        ("good morning", "guten morgen " * 6, True),
        ("good morning", "guten " * 11, False),
        ("a b c d e f", " ".join(map(str, range(longest_translation(6)))), True),  # it never ended
        ("a b c d e f", " ".join(map(str, range(longest_translation(6) - 1))), False),
    ],
)
def test_a_runaway_is_told_from_a_translation(source: str, translation: str, runaway: bool) -> None:
    assert is_runaway(source.split(), translation.split()) is runaway
