import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from dragoman.domain.events import LedgerTotals, WordTime
from dragoman.pipeline.captions import LINE_CHARS, cues, to_json, to_srt, to_text, to_tsv, to_vtt
from dragoman.pipeline.transcript import Transcript, Utterance, merge

LEDGER = LedgerTotals(
    accepted_samples=10, final_samples=10, text_samples=5, lost_samples=0, discarded_samples=0, sample_rate_hz=16_000
)


def said(
    start_ms: int,
    end_ms: int,
    text: str,
    locale: str = "de-DE",
    *,
    channel: int | None = None,
    speaker: str | None = None,
    words: tuple[WordTime, ...] = (),
    **translations: str | None,
) -> Utterance:
    return Utterance(
        utterance_id="u_1",
        start_ms=start_ms,
        end_ms=end_ms,
        locale=locale,
        locale_confidence=0.9,
        changed_from=None,
        speaker=speaker,
        channel=channel,
        text=text,
        confidence=0.9,
        words=words,
        translations=translations,
    )


def transcript(*utterances: Utterance, targets: tuple[str, ...] = ("en",)) -> Transcript:
    return Transcript(
        source="call.wav",
        model="micro",
        languages=("de-DE",),
        targets=targets,
        utterances=utterances,
        remarks=(),
        ledgers=(LEDGER,),
    )


TWO = transcript(said(512, 2_240, "Guten Tag.", en="Good day."), said(3_600_000, 3_601_500, "Bye.", "en-US"))


def test_text_shows_time_language_and_translation() -> None:
    assert to_text(TWO) == (
        "[00:00:00.512 → 00:00:02.240]  de-DE  Guten Tag.\n"
        "                                → en  Good day.\n"
        "[01:00:00.000 → 01:00:01.500]  en-US  Bye.\n"
    )


def test_text_names_the_channel_when_there_are_several() -> None:
    assert "]  channel 1  de-DE  Ja." in to_text(transcript(said(0, 1, "Ja.", channel=1)))


def test_who_speaks_is_named_if_that_is_known() -> None:
    spoken = transcript(said(0, 900, "Guten Tag.", speaker="Guest-1"))
    assert to_text(spoken) == "[00:00:00.000 → 00:00:00.900]  Guest-1  de-DE  Guten Tag.\n"
    assert "<v Guest-1>Guten Tag.\n" in to_vtt(spoken)
    assert to_tsv(spoken).splitlines()[1].split("\t")[3] == "Guest-1"


def test_how_an_utterance_should_read_stands_below_it() -> None:
    spoken = said(0, 900, "Hier ist Contosso.", en="This is Contoso.").model_copy(
        update={"polished": "Hier ist Contoso."}
    )
    assert to_text(transcript(spoken)).splitlines() == [
        "[00:00:00.000 → 00:00:00.900]  de-DE  Hier ist Contosso.",
        "                               reads  Hier ist Contoso.",
        "                                → en  This is Contoso.",
    ]


def test_srt_is_what_players_read() -> None:
    assert to_srt(TWO) == ("1\n00:00:00,512 --> 00:00:02,240\nGuten Tag.\n\n2\n01:00:00,000 --> 01:00:01,500\nBye.\n")


def test_vtt_is_what_browsers_read() -> None:
    assert to_vtt(TWO) == (
        "WEBVTT\n\n00:00:00.512 --> 00:00:02.240\nGuten Tag.\n\n01:00:00.000 --> 01:00:01.500\nBye.\n"
    )


def test_vtt_escapes_what_would_be_markup() -> None:
    assert "a &lt; b &amp;&amp; c &gt; d" in to_vtt(transcript(said(0, 1_000, "a < b && c > d")))


def test_translated_captions_keep_what_is_in_that_language_already() -> None:
    assert [cue.text for cue in cues(TWO, "en")] == ["Good day.", "Bye."]


def test_translated_captions_leave_out_what_has_no_translation() -> None:
    assert list(cues(transcript(said(0, 500, "Guten Tag."), said(500, 1_000, "Guten Tag.", en=None)), "en")) == []


def test_tsv_has_a_header_and_one_column_per_target() -> None:
    text = to_tsv(transcript(said(0, 1_000, "Guten\tTag.\n", en="Good day."), targets=("en", "fr")))
    assert text.splitlines() == [
        "start_ms\tend_ms\tchannel\tspeaker\tlocale\ttext\ten\tfr",
        "0\t1000\t\t\tde-DE\tGuten Tag.\tGood day.\t",
    ]


def test_json_holds_everything() -> None:
    assert Transcript.model_validate_json(to_json(TWO)) == TWO
    assert json.loads(to_json(TWO))["ledgers"][0]["accepted_samples"] == 10


LONG = "Good morning, this is Clara Wagner from Lyon, and I am calling because the printer I bought in March is broken."


def test_a_long_utterance_becomes_several_cues_of_two_short_lines() -> None:
    found = list(cues(transcript(said(1_000, 9_000, LONG))))
    assert " ".join(cue.text.replace("\n", " ") for cue in found) == LONG
    assert (found[0].start_ms, found[-1].end_ms) == (1_000, 9_000)
    assert all(before.end_ms == after.start_ms for before, after in itertools.pairwise(found))
    for block in to_srt(transcript(said(1_000, 9_000, LONG))).split("\n\n"):
        lines = block.strip().split("\n")[2:]
        assert len(lines) <= 2
        assert all(len(line) <= LINE_CHARS for line in lines)


def test_word_times_place_the_parts_of_a_long_utterance() -> None:
    words = tuple(
        WordTime(text=word, start_ms=1_000 + 100 * at, end_ms=1_100 + 100 * at) for at, word in enumerate(LONG.split())
    )
    first, second = cues(transcript(said(1_000, 9_000, LONG, words=words)))
    assert second.start_ms == 1_000 + 100 * len(first.text.split())


def test_a_script_without_spaces_is_split_by_its_width() -> None:
    text = "我在三月买的打印机坏了所以我想知道你们什么时候可以派技术员来修理它谢谢你们的帮助" * 2
    found = list(cues(transcript(said(0, 14_000, text, "zh-CN"))))
    assert "".join(cue.text.replace("\n", "") for cue in found) == text
    assert all(len(line) <= LINE_CHARS // 2 for cue in found for line in cue.text.split("\n"))


@given(st.text(alphabet="aé我,. -", max_size=300))
def test_no_cue_has_more_than_two_lines_and_none_loses_a_letter(text: str) -> None:
    found = list(cues(transcript(said(0, 14_000, text))))
    assert all(len(cue.text.split("\n")) <= 2 for cue in found)
    assert "".join("".join(cue.text.split()) for cue in found) == "".join(text.split())
    assert all(cue.start_ms <= cue.end_ms for cue in found)


def test_channels_are_merged_in_the_order_of_speaking() -> None:
    left = transcript(said(0, 1_000, "Hallo?", channel=0), said(5_000, 6_000, "Gut.", channel=0))
    right = transcript(said(2_000, 3_000, "Ja, hallo!", channel=1))
    both = merge([left, right])
    assert [utterance.text for utterance in both.utterances] == ["Hallo?", "Ja, hallo!", "Gut."]
    assert len(both.ledgers) == 2
