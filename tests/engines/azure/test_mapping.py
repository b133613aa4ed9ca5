import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from dragoman.domain.audio import Span
from dragoman.domain.language import Locale
from dragoman.domain.speech import Heard, Hypothesis, Partial, Silence, SpeechEnded, SpeechStarted, Word
from dragoman.engines.azure.mapping import Kind, Recognized, Settlement, SpokenWord, read_detail

US, DE = Locale("en-US"), Locale("de-DE")
SECOND = 10_000_000


def settled(settlement: Settlement, *results: Recognized, until: int = 160_000) -> list[Heard]:
    return [heard for result in results for heard in settlement.heard(result, until)]


def test_an_utterance_is_shown_said_and_settled() -> None:
    settlement = Settlement(0, [US, DE])
    heard = settled(
        settlement,
        Recognized(Kind.PARTIAL, "guten", SECOND, SECOND // 2, "de-de"),
        Recognized(Kind.FINAL, "Guten Tag.", SECOND, SECOND, "de-DE", "Guest-1", 0.9),
    )
    assert heard == [
        SpeechStarted(16_000),
        Partial(Span(16_000, 24_000), "guten", DE),
        Silence(Span(0, 16_000)),
        SpeechEnded(32_000),
        Hypothesis(Span(16_000, 32_000), Span(16_000, 32_000), "Guten Tag.", DE, confidence=0.9, speaker="Guest-1"),
    ]
    assert settlement.settled == 32_000
    assert list(settlement.rest(40_000)) == [Silence(Span(32_000, 40_000))]


def test_a_session_that_goes_on_has_its_own_clock() -> None:
    settlement = Settlement(160_000, [US])
    words = (SpokenWord("hello", SECOND, SECOND // 2, 0.8),)
    heard = settled(settlement, Recognized(Kind.FINAL, "Hello.", SECOND, SECOND, words=words), until=320_000)
    final = heard[-1]
    assert isinstance(final, Hypothesis)
    assert final.covers == Span(176_000, 192_000)
    assert final.words == (Word("hello", 11_000, 11_500, 0.8),)


def test_what_was_not_understood_is_settled_as_silence() -> None:
    settlement = Settlement(0, [US])
    heard = settled(
        settlement,
        Recognized(Kind.PARTIAL, "uh", 0, SECOND),
        Recognized(Kind.NO_MATCH, "", 0, 2 * SECOND),
    )
    assert heard[-2:] == [SpeechEnded(32_000), Silence(Span(0, 32_000))]


def test_a_label_that_is_no_candidate_changes_nothing() -> None:
    settlement = Settlement(0, [US, DE])
    heard = settled(
        settlement,
        Recognized(Kind.FINAL, "Guten Tag.", 0, SECOND, "de-DE"),
        Recognized(Kind.FINAL, "Ja.", SECOND, SECOND, ""),
        Recognized(Kind.FINAL, "Nein.", 2 * SECOND, SECOND, "nl-NL"),
    )
    assert [item.locale for item in heard if isinstance(item, Hypothesis)] == [DE, DE, DE]


results = st.builds(
    Recognized,
    st.sampled_from(Kind),
    st.sampled_from(["", "word"]),
    st.integers(0, 20 * SECOND),
    st.integers(0, 5 * SECOND),
)


@given(st.lists(results, max_size=20), st.integers(0, 320_000), st.integers(0, 100_000))
def test_every_sample_is_settled_once_whatever_is_reported(reported: list[Recognized], length: int, start: int) -> None:
    settlement = Settlement(start, [US])
    heard = settled(settlement, *reported, until=start + length) + list(settlement.rest(start + length))
    spans = [
        item.covers if isinstance(item, Hypothesis) else item.span
        for item in heard
        if isinstance(item, Hypothesis | Silence)
    ]
    assert sum(span.samples for span in spans) == length
    assert all(one.end == other.start for one, other in itertools.pairwise(spans))
    assert not spans or (spans[0].start, spans[-1].end) == (start, start + length)
    speaks = False
    for item in heard:
        if isinstance(item, SpeechStarted | SpeechEnded):
            assert speaks == isinstance(item, SpeechEnded)
            speaks = not speaks


def test_the_detail_of_a_result_counts_from_its_turn() -> None:
    detail = {
        "Offset": 5 * SECOND,
        "NBest": [
            {
                "Confidence": 0.9,
                "Words": [{"Word": "hello", "Offset": 6 * SECOND, "Duration": SECOND, "Confidence": 0.8}],
            },
            {"Confidence": 0.1, "Words": []},
        ],
    }
    # After a reconnect the turn began 30 s after the first sample.
    assert read_detail(json.dumps(detail), 35 * SECOND) == (0.9, (SpokenWord("hello", 36 * SECOND, SECOND, 0.8),))


def test_a_result_without_details_has_none() -> None:
    assert read_detail("", 0) == read_detail("{}", 0) == read_detail("no JSON", 0) == (None, ())
    assert read_detail('{"NBest": [{"Display": "Hi."}]}', 0) == (None, ())
