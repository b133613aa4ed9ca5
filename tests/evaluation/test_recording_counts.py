"""What is counted in recordings, from events as a session tells them."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import Card, Noise, RecordingItem, Reference
from dragoman.domain.events import (
    DurableEvent,
    ErrorEvent,
    LanguageDetected,
    Latency,
    LedgerTotals,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
    to_json,
)
from dragoman.domain.language import LidMode, Locale, TargetLanguage
from dragoman.evaluating.speech import SpeechWishes, evaluate_speech
from dragoman.evaluation.cost import read_prices
from dragoman.evaluation.report import Report, read_report
from dragoman.runtime import EngineInfo, Recording, Wishes

SECOND = 16_000


def reference(start_ms: int, text: str, locale: str = "en-US", **more: str) -> Reference:
    return Reference(
        start_ms=start_ms, end_ms=start_ms + 1_000, text=text, locale=locale, speaker="A", translations=more
    )


class Session:
    """Writes the events of one recording."""

    def __init__(self, *targets: str, channel: int | None = None) -> None:
        self.events: list[DurableEvent] = []
        self._targets = targets
        self._number = 0
        self._add(
            SessionStarted(
                session_id="s",
                seq=1,
                engine="e",
                lid=LidMode.CONTINUOUS,
                candidates=(),
                targets=targets,
                channel=channel,
            )
        )

    def _add(self, event: DurableEvent) -> None:
        self.events.append(event.model_copy(update={"seq": len(self.events) + 1}))

    def detected(self, at_ms: int, locale: str = "en-US") -> "Session":
        self._add(
            LanguageDetected(
                session_id="s", seq=1, locale=locale, confidence=None, at_ms=at_ms, mode=LidMode.CONTINUOUS
            )
        )
        return self

    def final(
        self, start_ms: int, text: str, locale: str = "en-US", decode_ms: int = 50, **made: str | None
    ) -> "Session":
        self._number += 1
        name = f"u_{self._number}"
        self._add(
            TranscriptFinal(
                session_id="s",
                seq=1,
                utterance_id=name,
                rev=1,
                text=text,
                start_ms=start_ms,
                end_ms=start_ms + 1_000,
                locale=locale,
                translates_to=tuple(made),
                engine="e",
                latency=Latency(decode_ms=decode_ms),
            )
        )
        for target, text_made in made.items():
            if text_made is None:
                failed = TranslationFailed(
                    session_id="s", seq=1, utterance_id=name, target=target, code="c", message="m"
                )
                self._add(failed)
            else:
                self._add(
                    TranslationFinal(
                        session_id="s", seq=1, utterance_id=name, target=target, text=text_made, engine="e"
                    )
                )
        return self

    def ended(self, accepted: int = 4 * SECOND, lost: int = 0) -> list[DurableEvent]:
        ledger = LedgerTotals(
            accepted_samples=accepted,
            final_samples=accepted - lost,
            text_samples=0,
            lost_samples=lost,
            discarded_samples=0,
            sample_rate_hz=SECOND,
        )
        self._add(SessionEnded(session_id="s", seq=1, reason="completed", ledger=ledger, utterances=self._number))
        return self.events


class Playing:
    """Plays these events whatever it hears; one list per file, or per file and channel."""

    def __init__(self, **events: list[DurableEvent]) -> None:
        self._events = events

    async def ready(self) -> EngineInfo:
        return EngineInfo("played", (Locale("en-US"),), (TargetLanguage("de"), TargetLanguage("en")))

    async def transcribe(self, recording: Recording, wishes: Wishes) -> AsyncGenerator[DurableEvent, None]:
        assert isinstance(recording.source, Path)
        name = recording.source.name if recording.channel is None else f"{recording.source.name}_{recording.channel}"
        for event in self._events[name]:
            await asyncio.sleep(0)
            yield event


def item(name: str, *said: Reference, **more: object) -> RecordingItem:
    given = {"file": name, "sha256": "0" * 64, "duration_ms": 4_000, "utterances": said, **more}
    return RecordingItem.model_validate(given)


def evaluated(folder: Path, hearing: Playing, *items: RecordingItem) -> Report:
    dataset = Dataset(Card(name="calls"), items, (), folder)
    return asyncio.run(
        evaluate_speech(hearing, {}, dataset, folder / "run", SpeechWishes(read_prices(), jobs=1), afresh=True)
    )


def value(report: Report, metric: str) -> float | None:
    return report.metrics[metric].value


def test_errors_are_counted_by_what_was_said_and_heard(tmp_path: Path) -> None:
    said = item("a", reference(0, "The lamp is red."), reference(2_000, "Two of them are here."))
    session = Session().detected(900).final(0, "the lamp is bread").final(2_000, "two them are here please").ended()
    report = evaluated(tmp_path, Playing(a=session), said)
    assert value(report, "wer") == pytest.approx(3 / 9)
    assert value(report, "deletions") == pytest.approx(1 / 9)
    assert value(report, "insertions") == pytest.approx(1 / 9)
    assert value(report, "decision_ms_p50") == 900
    assert value(report, "lid_accuracy") == 1
    (worst,) = report.worst  # one of each recording
    assert (worst.said, worst.errors) == ("Two of them are here.", 2)
    assert [(step.change, step.said, step.heard) for step in worst.steps] == [
        ("equal", "two", "two"),
        ("delete", "of", ""),
        ("equal", "them are here", "them are here"),
        ("insert", "", "please"),
    ]


def test_what_was_not_heard_at_all_counts_in_full(tmp_path: Path) -> None:
    said = item("a", reference(0, "The lamp is red."), reference(2_000, "Two of them."))
    report = evaluated(tmp_path, Playing(a=Session().final(0, "The lamp is red.").ended()), said)
    assert value(report, "wer") == pytest.approx(3 / 7)
    assert value(report, "lid_accuracy") == 0.5
    assert report.confusion is not None
    assert report.confusion.utterances == ((1, 1),)


def test_a_recording_that_fails_is_named_and_counts_as_not_heard(tmp_path: Path) -> None:
    said = item("a", reference(0, "The lamp is red."))
    heard = item("b", reference(0, "The lamp is red."))
    good = Session().final(0, "The lamp is red.").ended()
    failing = [*Session().events, ErrorEvent(session_id="s", seq=2, code="gone", message="It went.", retryable=False)]
    report = evaluated(tmp_path, Playing(a=failing, b=good), said, heard)
    assert report.failures == {"a": "gone: It went."}
    assert (value(report, "failed"), value(report, "wer")) == (0.5, 0.5)


def test_words_where_nobody_speaks_are_told_by_the_minute(tmp_path: Path) -> None:
    said, hum = item("a", reference(0, "Yes.")), item("hum", duration_ms=30_000)
    made_up = Session().final(1_000, "Thank you for watching").ended()
    report = evaluated(tmp_path, Playing(a=Session().final(0, "Yes.").ended(), hum=made_up), said, hum)
    assert value(report, "false_words_per_minute") == 8
    assert value(report, "wer") == 0


def test_translations_that_are_missing_are_missed(tmp_path: Path) -> None:
    said = item("a", reference(0, "The lamp is red.", de="Die Lampe ist rot."), reference(2_000, "Yes.", de="Ja."))
    full = Session("de").final(0, "The lamp is red.", de="Die Lampe ist rot.").final(2_000, "Yes.", de="Ja.").ended()
    report = evaluated(tmp_path, Playing(a=full), said)
    assert (value(report, "translated"), value(report, "chrf/de"), value(report, "ter/de")) == (1, 100, 0)
    half = Session("de").final(0, "The lamp is red.", de=None).final(2_000, "Yes.", de="Ja.").ended()
    report = evaluated(tmp_path, Playing(a=half), said)
    assert value(report, "translated") == 0.5
    assert (value(report, "chrf/de") or 0) < 60


def test_who_speaks_the_target_already_needs_no_translation(tmp_path: Path) -> None:
    said = item("a", reference(0, "Die Lampe ist rot.", "de-DE", en="The lamp is red."))
    session = Session("de", "en").final(0, "Die Lampe ist rot.", "de-DE", en="The lamp is red.").ended()
    report = evaluated(tmp_path, Playing(a=session), said)
    assert value(report, "translated") == 1
    assert value(report, "chrf/en") == 100
    assert "chrf/de" not in report.metrics


def test_channels_are_heard_and_counted_by_themselves(tmp_path: Path) -> None:
    left, right = reference(0, "The lamp is red."), reference(0, "Yes.").model_copy(update={"channel": 1})
    playing = Playing(
        a_0=Session(channel=0).final(0, "The lamp is red.").ended(), a_1=Session(channel=1).final(0, "Yes.").ended()
    )
    report = evaluated(tmp_path, playing, item("a", left, right, channels=2))
    assert (value(report, "wer"), value(report, "lid_accuracy")) == (0, 1)


def test_slices_are_those_of_language_noise_channel_speaker_and_length(tmp_path: Path) -> None:
    noise = Noise(kind="fan", snr_db=12.0, start_ms=0, end_ms=4_000)
    noisy = item("a", reference(0, "Yes."), noise=noise, band="telephone")
    quiet = item("b", reference(0, "Ja doch.", "de-DE").model_copy(update={"speaker": "B", "end_ms": 3_000}))
    playing = Playing(a=Session().final(0, "No.").ended(), b=Session().final(0, "Ja doch.", "de-DE").ended())
    report = evaluated(tmp_path, playing, noisy, quiet)
    wrong = {
        dimension: {name: each["wer"].value for name, each in values.items()}
        for dimension, values in report.slices.items()
    }
    assert wrong == {
        "language": {"en-US": 1.0, "de-DE": 0.0},
        "noise": {"fan": 1.0, "none": 0.0},
        "channel": {"telephone": 1.0, "wide": 0.0},
        "speaker": {"A": 1.0, "B": 0.0},
        "length": {"below 1.5 s": 1.0, "to 4 s": 0.0},
        "recording": {"a": 1.0, "b": 0.0},
    }


def test_lost_audio_and_costs_are_counted(tmp_path: Path) -> None:
    session = Session("de").final(0, "Yes.", de="Ja.").ended(lost=SECOND)
    report = evaluated(tmp_path, Playing(a=session), item("a", reference(0, "Yes.", de="Ja.")))
    assert value(report, "lost") == 0.25
    prices = read_prices()
    hourly = prices.speech_usd_per_hour + prices.language_identification_usd_per_hour
    characters = 4 * prices.translation_usd_per_million_characters / 1e6 * 3_600 / 4
    assert value(report, "usd_per_hour") == pytest.approx(hourly + characters, rel=1e-4)


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    report = evaluated(tmp_path, Playing(a=Session().final(0, "Yes.").ended()), item("a", reference(0, "Yes.")))
    (tmp_path / "report.json").write_text(report.model_dump_json())
    assert read_report(tmp_path) == report
    assert to_json(Session().events[0]).startswith('{"type":"session.started"')
