"""What is pure of OpenAI's formats."""

import pytest

from dragoman.api.openai_documents import phrases_of, text_of, to_verbose, untranslated
from dragoman.pipeline.transcript import Transcript, Utterance


@pytest.mark.parametrize(
    ("prompt", "phrases"),
    [
        ("", ()),
        ("Contoso, Dragoman; Zoë Müller\nRTX 4090.", ("Contoso", "Dragoman", "Zoë Müller", "RTX 4090")),
        ("Contoso,,Contoso , ", ("Contoso",)),
        ("So we had said that it would take another week or so, Contoso", ("Contoso",)),  # prose is no phrase
        ("x" * 61, ()),
    ],
)
def test_a_prompt_lists_phrases_where_it_does(prompt: str, phrases: tuple[str, ...]) -> None:
    assert phrases_of(prompt) == phrases


def said(*parts: tuple[str, str, str | None]) -> Transcript:
    """Return a transcript of locales, texts and English, each utterance a second longer than the one before."""
    utterances = tuple(
        Utterance(
            utterance_id=f"u_{number}",
            start_ms=0,
            end_ms=1_000 * number,
            locale=locale,
            locale_confidence=None,
            changed_from=None,
            speaker=None,
            channel=None,
            text=text,
            confidence=None,
            words=(),
            translations={} if english is None else {"en": english},
        )
        for number, (locale, text, english) in enumerate(parts, 1)
    )
    return Transcript(source=None, model=None, languages=(), targets=(), utterances=utterances, remarks=(), ledgers=())


def test_utterances_are_joined_as_their_language_is_written() -> None:
    assert text_of(
        said(("en-US", "Hello.", None), ("ja-JP", "はい。", None), ("de-DE", "Ja.", None)), "transcribe"
    ) == ("Hello.はい。 Ja.")


def test_english_stays_and_what_has_no_english_is_noticed() -> None:
    whole = said(("en-GB", "Hello.", None), ("de-DE", "Ja.", "Yes."), ("de-DE", "", None))
    assert (text_of(whole, "translate"), untranslated(whole)) == ("Hello. Yes.", False)
    assert untranslated(said(("it-IT", "Sì.", None)))


@pytest.mark.parametrize(
    ("transcript", "candidates", "language"),
    [
        (said(("en-US", "Hello.", None), ("de-DE", "Ja.", None)), None, "german"),  # spoken longest
        (said(("xh-ZA", "Molo.", None)), None, "xh"),
        (said(), ["nb-NO"], "norwegian"),
        (said(), None, "unknown"),
    ],
)
def test_the_language_has_its_english_name(transcript: Transcript, candidates: list[str] | None, language: str) -> None:
    body = to_verbose(transcript, "transcribe", {"segment"}, candidates)
    assert isinstance(body, dict)
    assert body["language"] == language
