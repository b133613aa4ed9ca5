"""What may be said of a session's texts, and what does not fit together."""

import pytest
from pydantic import ValidationError

from dragoman.domain.errors import LocaleError
from dragoman.domain.feedback import FEEDBACK, MOST_COMMENT, MOST_TEXT

GOOD = [
    {"kind": "rating", "part": "transcript", "rating": 5},
    {"kind": "rating", "part": "transcript", "utterance_id": "u_1", "rating": 1, "comment": "Not a word of it."},
    {"kind": "rating", "part": "translation", "target": "pt", "rating": 3},
    {"kind": "rating", "part": "insight", "rating": 4},
    {"kind": "correction", "part": "transcript", "utterance_id": "u_1", "text": "Guten Tag.", "locale": "de-DE"},
    {"kind": "correction", "part": "transcript", "utterance_id": "u_1", "text": ""},
    {"kind": "correction", "part": "translation", "target": "en", "utterance_id": "u_1", "text": "x" * MOST_TEXT},
    {"kind": "correction", "part": "insight", "text": "They agreed on Monday."},
]


@pytest.mark.parametrize("said", GOOD)
def test_what_may_be_said(said: dict[str, object]) -> None:
    found = FEEDBACK.validate_python(said).model_dump(exclude_none=True)
    assert found == said


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"rating": 0}, "greater than or equal to 1"),
        ({"rating": 6}, "less than or equal to 5"),
        ({"rating": 4.5}, "integer"),
        ({"rating": True}, "integer"),
        ({"part": "weather"}, "transcript"),
        ({"part": "translation"}, "target of a translation"),
        ({"target": "en"}, "target of a translation"),
        ({"part": "translation", "target": "EN"}, "'en'"),
        ({"part": "insight", "utterance_id": "u_1"}, "whole session"),
        ({"comment": "x" * (MOST_COMMENT + 1)}, "at most 2000"),
        ({"comment": "a\0b"}, "pattern"),
        ({"comment": "\ud800"}, "unicode"),
        ({"comment": "  "}, "at least 1"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_rating_that_does_not_fit_together(change: dict[str, object], cause: str) -> None:
    with pytest.raises(ValidationError, match=cause):
        FEEDBACK.validate_python({"kind": "rating", "part": "transcript", "rating": 3, **change})


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"utterance_id": None}, "name the utterance"),
        ({"text": "x" * (MOST_TEXT + 1)}, "at most 10000"),
        ({"part": "translation", "target": "en", "text": " "}, "only a transcript"),
        ({"part": "translation", "target": "en", "locale": "en-US"}, "only a transcript"),
        ({"locale": "de"}, None),
        ({"locale": "DE-de"}, "'de-DE'"),
    ],
)
def test_a_correction_that_does_not_fit_together(change: dict[str, object], cause: str | None) -> None:
    said = {"kind": "correction", "part": "transcript", "utterance_id": "u_1", "text": "Guten Tag.", **change}
    with pytest.raises(ValidationError if cause else LocaleError, match=cause):
        FEEDBACK.validate_python(said)
