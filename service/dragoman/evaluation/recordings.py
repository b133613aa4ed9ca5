"""Counts what came out of recordings: what was said beside what was heard."""

from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.datasets.items import RecordingItem, Reference
from dragoman.domain.events import (
    DurableEvent,
    EphemeralEvent,
    LanguageDetected,
    SessionStarted,
    TranscriptFinal,
    from_json,
)
from dragoman.evaluation.cost import Prices, usage
from dragoman.evaluation.metrics import completeness, language, meaning, speed, transcription, translation
from dragoman.evaluation.metrics import cost as costs
from dragoman.evaluation.metrics.meaning import Encoder
from dragoman.evaluation.metrics.metric import Counts, Metric
from dragoman.evaluation.run import Result
from dragoman.evaluation.scored import Part, Scored, Shown, joined
from dragoman.evaluation.units import Unit, pair
from dragoman.pipeline.transcript import Transcript, TranscriptBuilder

_SHORT_MS = 1_500
_LONG_MS = 4_000


@dataclass(frozen=True, slots=True)
class RecordingScorer:
    """Counts what came out of the recordings of a dataset. ``locales`` are those that are spoken anywhere in it."""

    locales: tuple[str, ...]
    targets: tuple[str, ...]
    prices: Prices
    encoder: Encoder | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured."""
        return (
            *transcription.METRICS,
            *language.metrics(self.locales),
            *translation.metrics(self.targets),
            *(meaning.metrics(self.targets) if self.encoder else ()),
            *speed.METRICS,
            *costs.METRICS,
            *completeness.METRICS,
        )

    def score(self, item: RecordingItem, result: Result) -> Scored:
        """Return the counts of one recording."""
        events = [event for line in result.lines if (event := _durable(line)) is not None]
        transcripts = {channel: _transcript(each) for channel, each in _channels(events).items()}
        parts: list[Part] = []
        silent: list[Unit] = []
        for channel, transcript in transcripts.items():
            said = [each for each in item.utterances if channel is None or each.channel == channel]
            units = pair(said, transcript.utterances)
            parts += [self._part(item, unit, channel or 0) for unit in units if item.utterances]
            silent += [] if item.utterances else units
        remarks = [remark for each in transcripts.values() for remark in each.errors]
        failure = result.failure or (f"{remarks[0].code}: {remarks[0].message}" if remarks else None)
        ledgers = tuple(ledger for each in transcripts.values() for ledger in each.ledgers)
        whole = [
            completeness.count(ledgers, has_failed=failure is not None),
            speed.count(result.wall_s, result.cpu_s, item.duration_ms / 1_000, result.yardstick),
            costs.count(usage(list(transcripts.values()), self.targets), item.duration_ms, self.prices),
            Counts(samples=_times(item, events)),
        ]
        if not item.utterances:
            whole.append(transcription.count_silence(silent, item.duration_ms))
        elif not transcripts:  # all that was said counts as not heard
            parts += [self._part(item, Unit((each,), ()), each.channel) for each in item.utterances]
        return Scored(item.id, tuple(parts), joined(whole), failure)

    def _part(self, item: RecordingItem, unit: Unit, channel: int) -> Part:
        steps = tuple(transcription.align(unit))
        counts = joined(
            [
                transcription.count(unit),
                language.count(unit, self.locales) if unit.references else Counts(),
                translation.count(unit, self.targets, self.encoder),
            ]
        )
        shown = Shown(
            channel=channel,
            start_ms=unit.start_ms,
            end_ms=unit.end_ms,
            said=" ".join(each.text for each in unit.references),
            heard=" ".join(each.text for each in unit.heard),
            locale=unit.locale,
            heard_locale=unit.heard_locale,
            steps=steps,
            errors=round(counts.sums["words"][0]),
        )
        return Part(_slices(item, unit), counts, shown)


def _slices(item: RecordingItem, unit: Unit) -> dict[str, str]:
    slices = {
        "noise": item.noise.kind if item.noise else "none",
        "channel": item.band or "wide",
        "recording": item.id,
    }
    if unit.references:
        slices["language"] = unit.locale or "several"
        slices["length"] = _length(unit.references)
        if unit.speaker and unit.locale:
            slices["speaker"] = item.subject or unit.speaker
    return slices


def _length(references: Sequence[Reference]) -> str:
    spoken_ms = sum(each.end_ms - each.start_ms for each in references) / len(references)
    if spoken_ms < _SHORT_MS:
        return f"below {_SHORT_MS / 1000:g} s"
    return f"to {_LONG_MS / 1000:g} s" if spoken_ms < _LONG_MS else f"from {_LONG_MS / 1000:g} s"


def _times(item: RecordingItem, events: Sequence[DurableEvent]) -> dict[str, tuple[float, ...]]:
    """Return how long finals took, and how much speech it took to say the first language."""
    finals = [event.latency for event in events if isinstance(event, TranscriptFinal)]
    decided = [event.at_ms for event in events if isinstance(event, LanguageDetected)]
    begun_ms = min((each.start_ms for each in item.utterances), default=0)
    samples = {
        "decode_ms": tuple(float(each.decode_ms) for each in finals if each.decode_ms is not None),
        "final_ms": tuple(float(each.since_speech_end_ms) for each in finals if each.since_speech_end_ms is not None),
        "decision_ms": tuple(float(max(0, at_ms - begun_ms)) for at_ms in decided[:1] if item.utterances),
    }
    return {name: values for name, values in samples.items() if values}


def _durable(line: str) -> DurableEvent | None:
    event = from_json(line)
    return None if isinstance(event, EphemeralEvent) else event


def _channels(events: Sequence[DurableEvent]) -> dict[int | None, list[DurableEvent]]:
    """Return the events of every session, by the channel that it heard; ``None`` if it heard all of them at once."""
    found: dict[int | None, list[DurableEvent]] = {}
    channel: int | None = None
    for event in events:
        if isinstance(event, SessionStarted):
            channel = event.channel
        found.setdefault(channel, []).append(event)
    return found


def _transcript(events: Sequence[DurableEvent]) -> Transcript:
    builder = TranscriptBuilder()
    for event in events:
        builder.add(event)
    return builder.transcript()
