"""Recordings are cut at what was said: whole utterances, else whole sentences, else whole words."""

import pytest

from dragoman.datasets.exports.outcome import Reason
from dragoman.datasets.exports.stretches import cut
from dragoman.datasets.items import RecordingItem, Reference, SpokenWord

LONGEST_MS = 10_000


def item(*said: Reference, duration_ms: int = 60_000, channels: int = 1) -> RecordingItem:
    return RecordingItem(file="a.wav", sha256="0" * 64, duration_ms=duration_ms, utterances=said, channels=channels)


def said(start_ms: int, end_ms: int, text: str = "Hello there.", channel: int = 0, words: int = 0) -> Reference:
    spoken: list[SpokenWord] = []
    if words:
        parts = text.split()
        each_ms = (end_ms - start_ms) // len(parts)
        spoken = [
            SpokenWord(text=part, start_ms=start_ms + at * each_ms, end_ms=start_ms + (at + 1) * each_ms - 20)
            for at, part in enumerate(parts)
        ]
    return Reference(start_ms=start_ms, end_ms=end_ms, locale="en-US", text=text, channel=channel, words=tuple(spoken))


def test_an_utterance_is_a_stretch_with_the_silence_around_it() -> None:
    stretches, left_out = cut(item(said(1_000, 2_000), said(2_200, 3_000), said(59_000, 60_000)), LONGEST_MS)
    assert left_out == ()
    assert [(each.start_ms, each.end_ms) for each in stretches] == [(500, 2_200), (2_000, 3_500), (58_500, 60_000)]


def test_what_is_long_is_cut_between_sentences() -> None:
    text = "One two three four. Five six seven eight. Nine ten."
    stretches, left_out = cut(item(said(0, 20_000, text, words=1)), LONGEST_MS)
    assert left_out == ()
    assert [each.text for each in stretches] == ["One two three four.", "Five six seven eight.", "Nine ten."]
    assert all(each.end_ms - each.start_ms <= LONGEST_MS for each in stretches)
    assert [each.start_ms for each in stretches[1:]] == [each.end_ms for each in stretches[:-1]]
    assert (stretches[0].start_ms, stretches[-1].end_ms) == (0, 20_000)


def test_a_sentence_that_is_long_is_cut_between_words() -> None:
    text = " ".join(f"word{number}" for number in range(25))
    stretches, _ = cut(item(said(0, 25_000, text, words=1)), LONGEST_MS)
    assert " ".join(each.text for each in stretches) == text
    assert len(stretches) == 3


@pytest.mark.parametrize(
    ("utterances", "reason"),
    [
        ([said(0, 20_000, "no words are known of it")], Reason.LONG),
        ([said(0, 24_000, "one two", words=1)], Reason.LONG),  # each word is as long as that
        ([said(0, 1_000), said(900, 2_000)], Reason.OVERLAP),
        ([said(5_000, 70_000)], Reason.TIMES),
        ([said(5_000, 5_000)], Reason.TIMES),
    ],
)
def test_what_cannot_be_cut_is_named(utterances: list[Reference], reason: Reason) -> None:
    stretches, left_out = cut(item(*utterances), LONGEST_MS)
    assert stretches == ()
    assert {each.reason for each in left_out} == {reason}
    assert left_out[0].item.startswith("a.wav ")


def test_words_that_are_another_text_do_not_say_where_to_cut() -> None:
    whole = said(0, 20_000, "one two three four", words=1)
    _, left_out = cut(item(whole.model_copy(update={"text": "one two three fore"})), LONGEST_MS)
    assert [each.reason for each in left_out] == [Reason.LONG]


def test_channels_do_not_overlap() -> None:
    stretches, left_out = cut(item(said(0, 2_000), said(1_000, 3_000, channel=1), channels=2), LONGEST_MS)
    assert left_out == ()
    assert [each.channel for each in stretches] == [0, 1]
