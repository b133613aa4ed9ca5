"""What is said of our peers must be measured rightly."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from faster_whisper import WhisperModel

from bench.peers.audio import Said, Speech, SpokenWord, speeches
from bench.peers.figures import StreamFigures, judge
from bench.peers.floor import Floor
from bench.peers.grown import TINY, grow
from bench.peers.hearing import Hearing
from bench.peers.languages import LanguageFigures, follow
from bench.peers.report import claims
from bench.peers.results import Take, pooled
from dragoman.audio.pcm import to_float
from dragoman.resources import resolve_model

SPEECH = Speech(
    "call.wav",
    "en-US",
    b"",
    (
        SpokenWord("Good", 1.0, 1.2, closes=False, language="en"),
        SpokenWord("morning,", 1.2, 1.8, closes=True, language="en"),
        SpokenWord("it's", 3.0, 3.2, closes=False, language="en"),
        SpokenWord("22:30.", 3.2, 4.0, closes=True, language="en"),
    ),
    "Good morning, it's 22:30.",
)


def heard(*states: tuple[float, str, str]) -> StreamFigures:
    hearing = Hearing()
    for state in states:
        hearing.show(*state)
    return judge(SPEECH, hearing)


def test_a_word_is_committed_when_it_stands_where_it_stays() -> None:
    figures = heard(
        (1.5, "", "Good"), (2.0, "", "Good warning"), (2.3, "Good morning,", ""), (4.5, "Good morning, its 22:30.", "")
    )
    assert figures.wer == 0
    assert figures.first_s == pytest.approx(0.5)
    assert figures.finals_s == pytest.approx((0.5, 0.5))
    assert figures.delays_s == pytest.approx((1.1, 0.5, 1.3, 0.5))
    assert figures.erased == pytest.approx(1 / 4)
    assert figures.tail_lost == 0


def test_what_is_revised_was_not_final_before() -> None:
    figures = heard((2.0, "Good warning", ""), (5.0, "Good morning, it's 22:30.", ""))
    assert figures.finals_s == pytest.approx((3.2, 1.0))


def test_a_word_understood_wrongly_still_came() -> None:
    figures = heard((2.0, "Good warning", ""), (4.2, "Good warning it's 22:30", ""))
    assert figures.wer == pytest.approx(1 / 5)
    assert figures.finals_s == pytest.approx((0.2, 0.2))


def test_a_tail_that_never_came_is_lost() -> None:
    figures = heard((2.0, "Good morning", "it's"))
    assert figures.tail_lost == 1
    assert figures.finals_s == pytest.approx((0.2,))
    assert heard().tail_lost == 1
    assert heard().wer == 1


def spoken(*runs: tuple[str, float]) -> Speech:
    words = tuple(SpokenWord("word", at_s, at_s + 1, closes=True, language=language) for language, at_s in runs)
    return replace(SPEECH, words=words)


def test_switches_are_those_that_follow_what_is_spoken() -> None:
    speech = spoken(("en", 1.0), ("es", 5.0), ("de", 9.0))
    right = follow(speech, [Said(2.5, "en"), Said(6.0, "es"), Said(11.0, "de")])
    assert right == LanguageFigures(1.5, True, 2, (1.0, 2.0), 0)
    late = follow(speech, [Said(2.5, "en"), Said(9.5, "es"), Said(10.0, "de")])
    assert late == LanguageFigures(1.5, True, 2, (1.0,), 1)
    nervous = follow(speech, [Said(2.5, "de"), Said(3.0, "en"), Said(6.0, "es")])
    assert nervous == LanguageFigures(1.5, False, 2, (1.0,), 1)
    assert follow(speech, []) == LanguageFigures(None, False, 2, (), 0)


def take(system: str, cores: float, final_s: float, streams: int = 4) -> Take:
    each = replace(heard(), first_s=0.5, finals_s=(final_s,), delays_s=(final_s,), wer=0.0, understood=5)
    return Take(system, "tiny", 0, 0, streams, 20 * cores, cores, 100.0, "", (each,) * streams)


def test_promises_are_kept_or_missed() -> None:
    peers = [take("WhisperLive", 2.0, 3.0), take("WhisperLiveKit", 1.6, 0.9)]
    enough = [take("Dragoman", 0.4, 0.4), take("Dragoman", 1.6, 0.9, 16)]
    floor = Floor(4, 2.0, 4.0, 0.5, live_s=7.0)  # 6.5 s; four streams take 8 s
    assert [claim.startswith("Kept") for claim in claims(pooled([*enough, *peers]), floor)] == [True] * 5
    too_little = [take("Dragoman", 0.5, 1.0), take("Dragoman", 1.6, 1.1, 16)]
    assert [claim.startswith("Kept") for claim in claims(pooled([*too_little, *peers]), floor)] == [False] * 5


@pytest.mark.slow
def test_a_grown_model_says_the_same(tmp_path: Path) -> None:
    micro = resolve_model("micro")
    samples = to_float(speeches(12.0)[0].pcm)
    texts = []
    for folder in (micro, str(grow(Path(micro), TINY, tmp_path / "tiny"))):
        segments, _ = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1).transcribe(
            samples, language="en", beam_size=1
        )
        texts.append(" ".join(segment.text for segment in segments))
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_another_model_is_grown_anew(tmp_path: Path) -> None:
    source = Path(shutil.copytree(resolve_model("micro"), tmp_path / "micro"))
    grown = grow(source, TINY, tmp_path / "tiny") / "model.bin"
    first = grown.stat().st_mtime_ns
    assert grow(source, TINY, tmp_path / "tiny") / "model.bin" == grown
    assert grown.stat().st_mtime_ns == first
    model = bytearray((source / "model.bin").read_bytes())
    model[-200_000] ^= 1  # a weight
    (source / "model.bin").write_bytes(model)
    grow(source, TINY, tmp_path / "tiny")
    assert grown.stat().st_mtime_ns > first
