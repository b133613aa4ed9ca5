"""What an engine heard, in the words of the Speech service. Offsets are ticks of 100 ns from the start of the turn."""

import unicodedata
import uuid
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from dragoman.domain.audio import SAMPLE_RATE_HZ, Span
from dragoman.domain.language import Locale, TargetLanguage
from dragoman.domain.speech import Hypothesis, Partial, Word
from dragoman.emulator.operation import Operation

Body = dict[str, JsonValue]

_TICKS_PER_S: Final = 10_000_000
_TICKS_PER_MS: Final = 10_000
_HIGH, _MEDIUM = 0.8, 0.5
_UNKNOWN_SPEAKER: Final = "Unknown"


def to_ticks(samples: int) -> int:
    """Return a position or length in ticks."""
    return samples * _TICKS_PER_S // SAMPLE_RATE_HZ


def end_ticks(samples: int) -> int:
    """Return where a turn ends: in whole milliseconds, rounded up, or the SDK would open another turn for the rest."""
    return -(-to_ticks(samples) // _TICKS_PER_MS) * _TICKS_PER_MS


def hypothesis(partial: Partial, operation: Operation) -> Body:
    """Return a ``speech.hypothesis``."""
    body: Body = {"Text": _lexical(partial.text), **_place(partial.speech)}
    return body | _language(partial.locale, None, operation) | _speaker(None, operation)


def phrase(heard: Hypothesis, operation: Operation) -> Body:
    """Return the ``speech.phrase`` of an utterance; one without text was no speech that was understood."""
    place = _place(heard.speech)
    if not heard.text:
        return status("NoMatch", heard.covers)
    body: Body = {"Id": uuid.uuid4().hex, "RecognitionStatus": "Success", **place, "Channel": 0}
    text = "" if operation.only_language else heard.text
    if operation.detailed:
        body |= {"NBest": [_best(heard, operation)], "DisplayText": text}
    else:
        body |= {"DisplayText": text}
    return body | _language(heard.locale, heard.locale_confidence, operation) | _speaker(heard.speaker, operation)


def status(name: str, span: Span) -> Body:
    """Return a ``speech.phrase`` without text: ``NoMatch``, ``InitialSilenceTimeout``, ``EndOfDictation``."""
    return {"Id": uuid.uuid4().hex, "RecognitionStatus": name, **_place(span), "DisplayText": ""}


def identified(locale: Locale, confidence: float | None, span: Span) -> Body:
    """Return the phrase that says a language and no text."""
    return {
        "Id": uuid.uuid4().hex,
        "RecognitionStatus": "Success",
        **_place(span),
        "DisplayText": "",
        "PrimaryLanguage": {"Language": locale, "Confidence": _confidence(confidence)},
    }


def response(kind: str, speech: Body, translations: Mapping[TargetLanguage, str] | None) -> Body:
    """Return a ``translation.response`` around a hypothesis (``SpeechHypothesis``) or a phrase (``SpeechPhrase``)."""
    if translations is None:
        return {kind: speech, "TranslationStatus": "Error", "FailureReason": "A translation could not be made."}
    texts: list[JsonValue] = [
        {"Language": target, "Text": text, "DisplayText": text} for target, text in translations.items()
    ]
    return {kind: speech, "TranslationStatus": "Success", "Translations": texts}


def _best(heard: Hypothesis, operation: Operation) -> Body:
    lexical = _lexical(heard.text)
    best: Body = {
        "Confidence": heard.confidence or 0.0,
        "Lexical": lexical,
        "ITN": lexical,
        "MaskedITN": lexical,
        "Display": heard.text,
    }
    if operation.word_times:
        best["Words"] = [_word(word, operation) for word in heard.words]
    return best


def _word(word: Word, operation: Operation) -> Body:
    offset, duration = word.start_ms * _TICKS_PER_MS, (word.end_ms - word.start_ms) * _TICKS_PER_MS
    body: Body = {"Word": _lexical(word.text), "Offset": offset, "Duration": duration}
    return body | ({"Confidence": word.confidence or 0.0} if operation.word_confidences else {})


def _place(span: Span) -> Body:
    return {"Offset": to_ticks(span.start), "Duration": to_ticks(span.samples)}


def _language(locale: Locale, confidence: float | None, operation: Operation) -> Body:
    if operation.lid is None:
        return {}
    return {"PrimaryLanguage": {"Language": locale, "Confidence": _confidence(confidence)}}


def _speaker(speaker: str | None, operation: Operation) -> Body:
    return {"SpeakerId": speaker or _UNKNOWN_SPEAKER} if operation.recognition.speakers else {}


def _confidence(probability: float | None) -> str:
    if probability is None:
        return "Unknown"
    return "High" if probability >= _HIGH else "Medium" if probability >= _MEDIUM else "Low"


def _lexical(text: str) -> str:
    """Return words as they are spoken: small letters, no punctuation but within words."""
    words = (
        word.strip("".join(char for char in word if unicodedata.category(char)[0] == "P")) for word in text.split()
    )
    return " ".join(word.lower() for word in words if word)
