"""What is seen of a session by its events alone."""

import pytest

from dragoman.domain.events import (
    DurableEvent,
    EngineChanged,
    InsightReady,
    LanguageDetected,
    Latency,
    LedgerTotals,
    SessionEnded,
    SessionStarted,
    TranscriptFinal,
    TranslationFailed,
    TranslationFinal,
    WarningEvent,
)
from dragoman.domain.insight import Claim, Insight
from dragoman.domain.language import LidMode
from dragoman.domain.tally import Cell, Tally, added
from dragoman.monitoring.bins import Bins
from dragoman.monitoring.signals import SIGNALS, SessionSignals, tallied

STARTED = SessionStarted(session_id="s", seq=1, engine="whisper", lid=LidMode.CONTINUOUS, candidates=("en-US", "de-DE"))


def final(text: str = "Good morning to you.", **more: object) -> TranscriptFinal:
    fields = {"start_ms": 1_000, "end_ms": 3_000, "locale": "en-US", "engine": "whisper", "utterance_id": "u_1"}
    return TranscriptFinal.model_validate({"session_id": "s", "seq": 2, "rev": 1, "text": text, **fields, **more})


def seen(*events: DurableEvent) -> dict[tuple[str, str, str], list[float]]:
    signals, found = SessionSignals(), dict[tuple[str, str, str], list[float]]()
    for event in (STARTED, *events):
        for each in signals.observe(event):
            found.setdefault((each.cell.signal, each.cell.locale, each.cell.engine), []).append(each.value)
    return found


def values(*events: DurableEvent) -> dict[str, float]:
    return {signal: of[-1] for (signal, _, _), of in seen(*events).items()}


def test_a_final_says_how_it_was_spoken_and_heard() -> None:
    event = final(
        confidence=0.8, locale_margin=-0.2, latency=Latency(since_speech_end_ms=400, decode_ms=90), changed_from="de-DE"
    )
    assert values(event) == {
        "utterance_s": 2.0,
        "speech_rate": 8.5,  # 17 characters that are no spaces
        "lid_margin": -0.2,
        "confidence": 0.8,
        "suppressed": 0,
        "language_changes": 1,
        "final_ms": 400,
        "decode_ms": 90,
    }


def test_what_is_not_known_is_not_seen() -> None:
    assert not {"lid_margin", "confidence", "final_ms", "decode_ms"} & values(final()).keys()
    assert "speech_rate" not in values(final(end_ms=1_000))


def test_a_text_that_a_guard_left_out_counts_where_it_was_heard() -> None:
    detected = LanguageDetected(
        session_id="s", seq=2, locale="de-DE", confidence=None, at_ms=9, mode=LidMode.CONTINUOUS
    )
    left_out = WarningEvent(session_id="s", seq=3, code="text_suppressed", message="m")
    other = WarningEvent(session_id="s", seq=4, code="lagging", message="m")
    assert seen(detected, left_out, other) == {("suppressed", "de-DE", "whisper"): [1]}


def test_translations_are_of_their_pair_and_engine() -> None:
    said = final(translates_to=("de", "fr"))
    made = TranslationFinal(
        session_id="s", seq=3, utterance_id="u_1", target="de", text="Guten Morgen!", engine="ctranslate2"
    )
    failed = TranslationFailed(session_id="s", seq=4, utterance_id="u_1", target="fr", code="c", message="m")
    found = seen(said, made, failed)
    assert found["untranslated", "en-US>de", "ctranslate2"] == [0]
    assert found["untranslated", "en-US>fr", ""] == [1]
    assert found["length_ratio", "en-US>de", "ctranslate2"] == [13 / 20]


def test_an_insight_says_what_was_borne_out_and_what_gave_orders() -> None:
    claim = Claim(text="A call.", utterance_ids=("u_1",))
    insight = Insight(
        summary=(claim, claim, claim),
        topics=(),
        action_items=(),
        open_questions=(),
        sentiment=(),
        language="en",
        languages=(),
        engine="openai",
        model="m",
        prompt_version="1",
        withheld=("u_2",),
        dropped=1,
        blocked=(),
        costs=(),
    )
    said = [final(utterance_id=f"u_{number}") for number in range(1, 5)]
    last = InsightReady(session_id="s", seq=9, is_final=True, insight=insight)
    found = seen(*said, last)
    assert found["groundedness", "en", "openai"] == [0.75]
    assert found["injections", "en", "openai"] == [0.25]
    assert "groundedness" not in values(*said, last.model_copy(update={"is_final": False}))


def test_the_end_says_what_held_no_words_and_what_was_lost() -> None:
    ledger = LedgerTotals(
        accepted_samples=1_000,
        final_samples=900,
        text_samples=600,
        lost_samples=100,
        discarded_samples=0,
        sample_rate_hz=16_000,
    )
    other = EngineChanged(session_id="s", seq=3, engine="azure-speech", changed_from="whisper", reason="r", at_ms=0)
    ended = SessionEnded(session_id="s", seq=5, reason="completed", ledger=ledger, utterances=1)
    found = seen(final(), other, ended)
    assert found["no_speech", "en-US", "azure-speech"] == [0.3]
    assert found["lost", "en-US", "azure-speech"] == [0.1]
    nothing = ledger.model_copy(update=dict.fromkeys(ledger.model_dump(exclude={"sample_rate_hz"}), 0))
    assert "lost" not in values(ended.model_copy(update={"ledger": nothing}))


@pytest.mark.parametrize(
    ("bins", "value", "expected"),
    [
        (Bins(0, 1, 100), 0.0, 0),
        (Bins(0, 1, 100), 0.5, 50),
        (Bins(0, 1, 100), 1.0, 99),
        (Bins(0, 1, 100), -3.0, 0),
        (Bins(0, 1, 2), 1.0, 1),
        (Bins(10, 1_000, 2, "log"), 99.0, 0),
        (Bins(10, 1_000, 2, "log"), 101.0, 1),
        (Bins(10, 1_000, 2, "log"), 1e9, 1),
    ],
)
def test_bins(bins: Bins, value: float, expected: int) -> None:
    assert bins.bin_of(value) == expected


def test_tallies_add_up_in_any_order_and_survive_json() -> None:
    bins = SIGNALS["confidence"].bins
    parts = [bins.tally(0.1, 0.5), bins.tally(0.52, 0.9, 0.9), Tally()]
    whole = bins.tally(0.9, 0.1, 0.52, 0.9, 0.5)
    assert added(parts).bins == added(reversed(parts)).bins == whole.bins
    assert Tally.from_json(whole.to_json()) == whole
    assert (parts[0] + parts[1]).mean == pytest.approx(0.584)
    assert bins.quantile(whole, 0.5) == pytest.approx(0.52, abs=0.02)
    assert bins.quantile(Tally(), 0.5) is None


def test_observations_are_counted_by_cell() -> None:
    observed = [each for _ in range(3) for each in SessionSignals().observe(final(confidence=0.5))]
    counted = tallied(observed)
    assert counted[Cell("confidence", "en-US", "whisper")] == Tally(3, 1.5, {50: 3})
