import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.engines.azure.texts import code_of, marked, unmarked


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en-US", "en"),
        ("de-AT", "de"),
        ("pt-BR", "pt"),
        ("pt-PT", "pt-pt"),
        ("fr-CA", "fr-ca"),
        ("zh-CN", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-Hant", "zh-Hant"),
        ("sr-RS", "sr-Cyrl"),
        ("no", "nb"),
        ("nb-NO", "nb"),
    ],
)
def test_languages_have_the_codes_of_the_service(tag: str, code: str) -> None:
    assert code_of(tag) == code


def test_kept_words_are_marked_where_they_stand_alone() -> None:
    assert marked("Contoso & Contosos", ["contoso"]) == '<span class="notranslate">Contoso</span> &amp; Contosos'
    assert marked("Ask the New York Times", ["New York", "New York Times"]) == (
        'Ask the <span class="notranslate">New York Times</span>'
    )
    assert marked("nothing here", ["Contoso"]) is None
    assert marked("Contoso", []) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_marked_reads_the_same(before: str, after: str) -> None:
    text = f"{before} Contoso {after}"
    html = marked(text, ["Contoso"])
    assert html is not None
    assert unmarked(html) == text
