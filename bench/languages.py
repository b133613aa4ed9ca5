"""Question 5: how soon the language is known, and whether each switch is seen at its utterance."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import Final

from bench.clips import Call, Sentence
from bench.ours import FileLane, StreamLane
from bench.report import Claim, Section, Table
from dragoman.domain.audio import to_ms
from dragoman.domain.language import LidMode
from dragoman.domain.speech import LanguageDecision

_METHOD: Final = """\
At start: a stream in frames of 100 ms; where its language is decided, and how much speech lies before that by the \
manifest. Continuous: the locale of the `transcript.final` that overlaps most with each sentence of the mixed call, \
transcribed as a file. A switch is in place if the first \
sentence in another language already has its locale."""


@dataclass(frozen=True, slots=True)
class _Decision:
    call: str
    true: str
    found: str | None
    confidence: float | None
    at_ms: int | None
    speech_ms: int | None


@dataclass(frozen=True, slots=True)
class _Labelled:
    at_ms: int
    true: str
    found: str | None


def measure_languages(calls: Sequence[Call], mixed: Call, model: str) -> Section:
    """Decide once on each call, and follow the switches of the mixed one."""
    stream, file = StreamLane(model), FileLane(model)
    decisions = [_at_start(stream, call) for call in calls]
    sentences = _continuous(file, mixed)
    stream.close()
    file.close()
    return Section(
        "5 · Languages",
        _METHOD,
        (
            Table(
                "At start",
                ("Call", "True", "Found", "Confidence", "At ms", "Speech heard ms"),
                tuple(astuple(decision) for decision in decisions),
            ),
            Table("Continuous", ("Sentence at ms", "True", "Found"), tuple(astuple(each) for each in sentences)),
        ),
        (*_start_claims(decisions), *_switch_claims(sentences)),
    )


def _at_start(lane: StreamLane, call: Call) -> _Decision:
    heard = lane.hear(call.pcm, LidMode.AT_START)
    decided = next((item for item in heard if isinstance(item, LanguageDecision)), None)
    true = call.sentences[0].locale
    if decided is None:
        return _Decision(call.path.name, true, None, None, None, None)
    speech_ms = _speech_ms(call.sentences, decided.heard)
    return _Decision(
        call.path.name, true, decided.locale, dict(decided.scores)[decided.locale], to_ms(decided.heard), speech_ms
    )


def _speech_ms(sentences: Sequence[Sentence], until: int) -> int:
    return to_ms(sum(max(0, min(sentence.span.end, until) - sentence.span.start) for sentence in sentences))


def _continuous(lane: FileLane, mixed: Call) -> list[_Labelled]:
    finals = [event for event in lane.events(mixed.path) if event.type == "transcript.final"]

    def found(sentence: Sentence) -> str | None:
        start_ms, end_ms = sentence.span.start_ms, sentence.span.end_ms
        overlaps = [(min(final.end_ms, end_ms) - max(final.start_ms, start_ms), final.locale) for final in finals]
        most_ms, locale = max(overlaps, default=(0, ""))
        return locale if most_ms > 0 else None

    return [_Labelled(sentence.span.start_ms, sentence.locale, found(sentence)) for sentence in mixed.sentences]


def _start_claims(decisions: Sequence[_Decision]) -> tuple[Claim, Claim]:
    known_ms = [decision.speech_ms for decision in decisions if decision.speech_ms is not None]
    right = sum(decision.found == decision.true for decision in decisions)
    return (
        Claim(
            "Speech heard before the language is known, worst call",
            f"{max(known_ms, default=0)} ms",
            "≤ 2000 ms",
            len(known_ms) == len(decisions) and max(known_ms) <= 2_000,
        ),
        Claim(
            "Calls whose language is found at the start", f"{right} of {len(decisions)}", "all", right == len(decisions)
        ),
    )


def _switch_claims(sentences: Sequence[_Labelled]) -> tuple[Claim, Claim]:
    switches = [new for old, new in pairwise(sentences) if new.true != old.true]
    in_place = sum(sentence.found == sentence.true for sentence in switches)
    wrong = sum(sentence.found != sentence.true for sentence in sentences) - (len(switches) - in_place)
    return (
        Claim(
            "Switches of the mixed call seen in place",
            f"{in_place} of {len(switches)}",
            "all",
            in_place == len(switches),
        ),
        Claim("Other sentences in a wrong language", str(wrong), "0", wrong == 0),
    )
