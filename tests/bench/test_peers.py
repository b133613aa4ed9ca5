"""What is said of our peers must be measured rightly."""

import shutil
from pathlib import Path

import pytest
from faster_whisper import WhisperModel

from bench.peers.audio import Speech, SpokenWord, speeches
from bench.peers.figures import StreamFigures, judge
from bench.peers.grown import TINY, grow
from bench.peers.hearing import Hearing
from bench.peers.report import claims
from bench.peers.results import Take, pooled
from dragoman.audio.pcm import to_float
from dragoman.resources import resolve_model

SPEECH = Speech(
    "call.wav",
    "en-US",
    b"",
    (
        SpokenWord("Good", 1.0, 1.2, closes=False),
        SpokenWord("morning,", 1.2, 1.8, closes=True),
        SpokenWord("it's", 3.0, 3.2, closes=False),
        SpokenWord("22:30.", 3.2, 4.0, closes=True),
    ),
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


def take(system: str, cores: float, final_s: float, streams: int = 4) -> Take:
    each = StreamFigures("call.wav", 0.5, (final_s,), (final_s,), 0.0, 0.0, "text", 0.0, 1, 1, None)
    return Take(system, "tiny", 0, 0, streams, cores, 100.0, "", (each,) * streams)


def test_promises_are_kept_or_missed() -> None:
    peers = [take("WhisperLive", 2.0, 3.0), take("WhisperLiveKit", 1.6, 0.9)]
    enough = [take("Dragoman", 0.4, 0.4), take("Dragoman", 1.6, 0.9, 16)]
    assert [claim.startswith("Kept") for claim in claims(pooled([*enough, *peers]))] == [True] * 4
    too_little = [take("Dragoman", 0.5, 1.0), take("Dragoman", 1.6, 1.1, 16)]
    assert [claim.startswith("Kept") for claim in claims(pooled([*too_little, *peers]))] == [False] * 4


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
