"""Doubted texts: tried again in the full window, and left out rather than invented."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from ctranslate2 import StorageView
from numpy.typing import NDArray

from dragoman.audio.segmenter import Segment
from dragoman.domain.audio import Span
from dragoman.domain.language import LidMode, parse_candidates, parse_target
from dragoman.domain.speech import Heard, Hypothesis, Notice, TranscriptionRequest
from dragoman.engines.hearing import Spoken
from dragoman.engines.whisper.model import FULL_WINDOW_FRAMES, Decoded, DecodeJob, Encoded, TimedWord
from dragoman.engines.whisper.scheduler import Scheduler, Urgency
from dragoman.engines.whisper.utterance import SpokenLanguage, UtteranceDecoder

FINE = Decoded("Guten Tag.", (1,), -0.1, 0.0)
LOOP = Decoded("ja ja ja ja ja ja ja ja", (1,), -0.1, 0.0)
UNSURE = Decoded("Guten Dach.", (1,), -1.4, 0.1)
LESS_UNSURE = Decoded("Guten Tag auch.", (1,), -1.2, 0.1)
NOISE = Decoded("Danke.", (1,), -1.4, 0.9)
CUT = Decoded("Guten Tag und", (1,), -0.1, 0.0, truncated=True)
HALF = Decoded("Guten", (1,), -0.1, 0.0, until_s=0.4)
OPEN = Decoded("Guten Ta", (1,), -0.1, 0.0, unfinished=True)
ENGLISH = Decoded("Good day.", (1,), -0.1, 0.0)

DE = parse_candidates(["de-DE"], LidMode.CONTINUOUS)
SPEECH = Segment(Span(16_000, 52_000), Span(20_000, 50_000), "silence")


class ScriptedModel:
    """Answers one text per window: the usual one, the narrow one, and the full one."""

    can_batch = True

    def __init__(
        self,
        usual: Decoded,
        narrow: Decoded,
        full: Decoded,
        translation: Decoded = ENGLISH,
        *,
        aligns: bool = True,
    ) -> None:
        self.answers = {None: usual, 50: narrow, FULL_WINDOW_FRAMES: full}
        self.translation = translation
        self.aligns = aligns
        self.margins: list[int | None] = []
        self.timestamps: list[bool] = []

    def encode(
        self, samples: NDArray[np.float32], margin_frames: int | None = None, *, shared: bool = False
    ) -> Encoded:
        self.margins.append(margin_frames)
        return Encoded(StorageView.from_array(np.zeros((1, 1, 1), np.float32)), 100, margin_frames or 0)

    def language_probabilities(self, encoded: Encoded) -> dict[str, float]:
        return {"de": 1.0}

    def generate(self, jobs: Sequence[DecodeJob]) -> list[Decoded]:
        self.timestamps += [job.timestamps for job in jobs]
        return [
            self.translation if job.task == "translate" else self.answers[job.encoded.window_frames or None]
            for job in jobs
        ]

    def align(self, job: DecodeJob, decoded: Decoded) -> list[TimedWord]:
        if not self.aligns:
            raise IndexError("no path through the attention")
        # The first word swallows the silence before it, and the last runs over the end, as attention makes them do.
        return [TimedWord("Guten", 0.0, 0.6, 0.9), TimedWord("Tag.", 0.6, 9.0, 1.000001)]


def decode(model: ScriptedModel, *, translate: bool = False, segment: Segment = SPEECH) -> list[Heard]:
    async def run() -> list[Heard]:
        scheduler = Scheduler(model, 8)
        request = TranscriptionRequest(DE, targets=(parse_target("en"),) if translate else (), word_times=True)
        decoder = UtteranceDecoder(scheduler, request, {DE[0]: "de"}, can_translate=True)
        spoken = Spoken(segment, np.zeros(36_000, np.float32))
        try:
            listening = asyncio.create_task(scheduler.listen(spoken.samples, Urgency.FINAL, identify=False))
            return await decoder.decode(spoken, listening, SpokenLanguage(DE[0]), 0.0, Urgency.FINAL)
        finally:
            scheduler.close()

    return asyncio.run(run())


def text_of(heard: list[Heard]) -> str:
    final = heard[-1]
    assert isinstance(final, Hypothesis)
    assert final.covers == SPEECH.covers
    return final.text


@pytest.mark.parametrize(
    ("usual", "narrow", "full", "text"),
    [
        (FINE, LOOP, LOOP, "Guten Tag."),  # a trusted text is not decoded twice
        (HALF, FINE, LOOP, "Guten Tag."),
        (HALF, HALF, FINE, "Guten Tag."),  # the same half again is no better
        (OPEN, HALF, HALF, "Guten Ta"),  # the longest of texts that break off
        (HALF, HALF, UNSURE, "Guten Dach."),  # one that is whole is better, however unsure
        (LOOP, FINE, LOOP, "Guten Tag."),
        (LOOP, LOOP, FINE, "Guten Tag."),
        (CUT, CUT, FINE, "Guten Tag."),
        (UNSURE, UNSURE, LESS_UNSURE, "Guten Tag auch."),  # the likeliest of doubtful ones
        (LESS_UNSURE, UNSURE, UNSURE, "Guten Tag auch."),
        (UNSURE, LOOP, LOOP, "Guten Dach."),  # doubtful is better than invented
        (UNSURE, UNSURE, NOISE, ""),  # nobody spoke
        (LOOP, LOOP, LOOP, ""),  # invented three times
    ],
)
def test_a_doubted_text_is_decoded_in_another_window(usual: Decoded, narrow: Decoded, full: Decoded, text: str) -> None:
    assert text_of(decode(ScriptedModel(usual, narrow, full))) == text


def test_speech_that_we_cut_ourselves_is_decoded_without_timestamps() -> None:
    model = ScriptedModel(FINE, FINE, FINE)
    decode(model, segment=replace(SPEECH, reason="max"))
    assert model.timestamps == [False]


def test_leaving_a_text_out_is_said() -> None:
    notice = decode(ScriptedModel(LOOP, LOOP, LOOP))[0]
    assert isinstance(notice, Notice)
    assert notice.code == "text_suppressed"
    assert "1250 to 3125 ms" in notice.message


def test_silence_is_nothing_to_speak_of() -> None:
    assert len(decode(ScriptedModel(UNSURE, UNSURE, NOISE))) == 1


def test_every_window_is_encoded_once_for_transcript_and_translation() -> None:
    model = ScriptedModel(LOOP, LOOP, LOOP, translation=LOOP)
    decode(model, translate=True)
    assert model.margins == [None, 50, FULL_WINDOW_FRAMES]


def test_words_that_cannot_be_placed_cost_a_notice_and_not_the_text() -> None:
    notice, final = decode(ScriptedModel(FINE, FINE, FINE, aligns=False))
    assert isinstance(notice, Notice)
    assert notice.code == "word_times_failed"
    assert isinstance(final, Hypothesis)
    assert (final.text, final.words) == ("Guten Tag.", ())


def test_words_stay_within_the_speech() -> None:
    final = decode(ScriptedModel(FINE, FINE, FINE))[-1]
    assert isinstance(final, Hypothesis)
    assert [(word.start_ms, word.end_ms) for word in final.words] == [(1_250, 1_600), (1_600, 3_250)]
    assert all(word.confidence is not None and word.confidence <= 1 for word in final.words)


def test_english_comes_with_the_transcript() -> None:
    final = decode(ScriptedModel(FINE, FINE, FINE), translate=True)[-1]
    assert isinstance(final, Hypothesis)
    assert final.translations == {"en": "Good day."}


def test_an_invented_translation_is_a_failed_one() -> None:
    final = decode(ScriptedModel(FINE, FINE, FINE, translation=LOOP), translate=True)[-1]
    assert isinstance(final, Hypothesis)
    assert final.translations == {"en": None}


def test_a_translation_that_repeats_the_transcript_is_none() -> None:
    final = decode(ScriptedModel(FINE, FINE, FINE, translation=FINE), translate=True)[-1]
    assert isinstance(final, Hypothesis)
    assert final.translations == {"en": None}
