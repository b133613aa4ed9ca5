"""What a transcript is to clients of OpenAI's audio API: pure functions, transcript in, bodies out."""

import math
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Literal

from dragoman.domain.language import base_language
from dragoman.pipeline.captions import CAPTIONS
from dragoman.pipeline.transcript import Transcript, Utterance

Json = bool | int | float | str | None | list["Json"] | dict[str, "Json"]
Task = Literal["transcribe", "translate"]

ENGLISH: Final = "en"

_UNSPACED: Final = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})
_CODES_AND_NAMES: Final = """
af:afrikaans am:amharic ar:arabic as:assamese az:azerbaijani ba:bashkir be:belarusian bg:bulgarian bn:bengali
bo:tibetan br:breton bs:bosnian ca:catalan cs:czech cy:welsh da:danish de:german el:greek en:english es:spanish
et:estonian eu:basque fa:persian fi:finnish fil:tagalog fo:faroese fr:french gl:galician gu:gujarati ha:hausa
haw:hawaiian he:hebrew hi:hindi hr:croatian hu:hungarian hy:armenian id:indonesian is:icelandic it:italian
ja:japanese jv:javanese ka:georgian kk:kazakh km:khmer kn:kannada ko:korean la:latin lb:luxembourgish ln:lingala
lo:lao lt:lithuanian lv:latvian mg:malagasy mi:maori mk:macedonian ml:malayalam mn:mongolian mr:marathi ms:malay
mt:maltese my:myanmar nb:norwegian ne:nepali nl:dutch nn:nynorsk no:norwegian oc:occitan pa:punjabi pl:polish
ps:pashto pt:portuguese ro:romanian ru:russian sa:sanskrit sd:sindhi si:sinhala sk:slovak sl:slovenian sn:shona
so:somali sq:albanian sr:serbian su:sundanese sv:swedish sw:swahili ta:tamil te:telugu tg:tajik th:thai tk:turkmen
tl:tagalog tr:turkish tt:tatar uk:ukrainian ur:urdu uz:uzbek vi:vietnamese yi:yiddish yo:yoruba yue:cantonese
zh:chinese
"""
_NAMES: Final[Mapping[str, str]] = dict(pair.split(":") for pair in _CODES_AND_NAMES.split())
"""Languages as this API writes them: by their English names, in lower case. Source: Whisper's own list."""


def phrases_of(prompt: str) -> tuple[str, ...]:
    """Return the words to expect that a prompt lists, at commas, semicolons and line ends.

    A prompt may also be prose, the text before or an example of style; what is longer than a name is left out.
    """
    parts = [" ".join(part.split()).rstrip(".") for part in prompt.replace(";", ",").replace("\n", ",").split(",")]
    return tuple(dict.fromkeys(part for part in parts if part and len(part) <= 60 and len(part.split()) <= 4))[:500]


def spoken(utterance: Utterance, task: Task) -> str | None:
    """Return the text of an utterance, or its English; ``None`` if there is no English for it."""
    if task == "transcribe":
        return utterance.text
    translated = utterance.translations.get(ENGLISH)
    return utterance.text if translated is None and base_language(utterance.locale) == ENGLISH else translated


def joint(utterance: Utterance, task: Task) -> str:
    """Return what stands before an utterance that is not the first."""
    return " " if task == "translate" or base_language(utterance.locale) not in _UNSPACED else ""


def text_of(transcript: Transcript, task: Task) -> str:
    """Return everything that was said, as one line."""
    parts = [(joint(utterance, task), text) for utterance, text in _said(transcript, task)]
    return "".join(text if at == 0 else before + text for at, (before, text) in enumerate(parts))


def duration_s(transcript: Transcript) -> float:
    """Return how much audio was heard."""
    return sum(ledger.accepted_samples / ledger.sample_rate_hz for ledger in transcript.ledgers)


def languages_of(transcript: Transcript) -> list[Json]:
    """Return the languages that were heard, in order."""
    bases = dict.fromkeys(base_language(utterance.locale) for utterance in transcript.utterances if utterance.text)
    return [{"code": base} for base in bases]


def to_brief(transcript: Transcript, task: Task) -> Json:
    """Return the body of ``json``."""
    text = text_of(transcript, task)
    if task == "translate":
        return {"text": text}
    return {"text": text, "languages": languages_of(transcript), "usage": _usage(transcript)}


def untranslated(transcript: Transcript) -> bool:
    """Return whether something was said that there is no English for."""
    return any(utterance.text and not spoken(utterance, "translate") for utterance in transcript.utterances)


def to_verbose(
    transcript: Transcript, task: Task, granularities: Collection[str], candidates: Sequence[str] | None
) -> Json:
    """Return the body of ``verbose_json``; if nothing was said, its language is the first of the candidates."""
    body: dict[str, Json] = {
        "task": task,
        "language": "english" if task == "translate" else _language(transcript, candidates),
        "duration": round(duration_s(transcript), 3),
        "text": text_of(transcript, task),
    }
    if "segment" in granularities:
        body["segments"] = [
            _segment(number, utterance, text) for number, (utterance, text) in enumerate(_said(transcript, task))
        ]
    if task == "transcribe":
        body["usage"] = _usage(transcript)
        if "word" in granularities:
            body["words"] = [
                {"word": word.text, "start": word.start_ms / 1000, "end": word.end_ms / 1000}
                for utterance in transcript.utterances
                for word in utterance.words
            ]
    return body


def to_captions(transcript: Transcript, task: Task, name: str) -> str:
    """Return the body of ``srt`` or ``vtt``."""
    return CAPTIONS[name](transcript, ENGLISH if task == "translate" else None)


def _said(transcript: Transcript, task: Task) -> Iterator[tuple[Utterance, str]]:
    for utterance in transcript.utterances:
        if text := spoken(utterance, task):
            yield utterance, text


def _segment(number: int, utterance: Utterance, text: str) -> Json:
    """Return a segment. The protocol has no null for what is not known: docs/protocol.md says which are constants."""
    letters = text.encode()
    return {
        "id": number,
        "seek": utterance.start_ms // 10,
        "start": utterance.start_ms / 1000,
        "end": utterance.end_ms / 1000,
        "text": text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": math.log(utterance.confidence) if utterance.confidence else 0.0,
        "compression_ratio": len(letters) / len(zlib.compress(letters)),
        "no_speech_prob": 0.0,
    }


def _language(transcript: Transcript, candidates: Sequence[str] | None) -> str:
    """Return the name of the language that was spoken longest."""
    spoken_ms: Counter[str] = Counter()
    for utterance in transcript.utterances:
        spoken_ms[base_language(utterance.locale)] += utterance.end_ms - utterance.start_ms
    heard = [code for code, _ in spoken_ms.most_common(1)]
    code = (*heard, *map(base_language, candidates or ()), "unknown")[0]
    return _NAMES.get(code, code)


def _usage(transcript: Transcript) -> Json:
    return {"type": "duration", "seconds": round(duration_s(transcript), 3)}
