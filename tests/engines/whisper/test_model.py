"""The bundled model, for real: right answers on what it was trained for."""

from dataclasses import replace

import numpy as np
import pytest

from dragoman.engines.whisper.model import FULL_WINDOW_FRAMES, DecodeJob, RightSizedWhisper
from tests.calls import call


def encoded_sentence(micro: RightSizedWhisper, name: str, number: int) -> DecodeJob:
    sentence = call(name).sentences[number]
    samples = call(name).samples(sentence.start_ms - 200, sentence.end_ms + 200)
    return DecodeJob(micro.encode(samples), name)


def test_the_model_says_which_languages_it_knows(micro: RightSizedWhisper) -> None:
    assert micro.languages == {"en", "es", "de", "fr"}


@pytest.mark.parametrize("seconds", [0.1, 1.0, 4.0, 14.0, 29.0, 31.0])
def test_a_window_is_the_speech_and_a_margin(micro: RightSizedWhisper, seconds: float) -> None:
    encoded = micro.encode(np.zeros(int(seconds * 16_000), np.float32))
    assert encoded.speech_frames <= encoded.window_frames <= FULL_WINDOW_FRAMES
    assert encoded.window_frames % 50 == 0
    if seconds < 28:
        assert 100 <= encoded.window_frames - seconds * 100 < 152
    assert encoded.output.shape[1] == encoded.window_frames // 2


def test_streams_share_a_few_windows(micro: RightSizedWhisper) -> None:
    lengths = [micro.encode(call("en").samples(0, ms), shared=True).window_frames for ms in (500, 1_900, 2_100, 29_900)]
    assert lengths == [250, 250, 500, 3_000]


def test_a_full_window_is_thirty_seconds(micro: RightSizedWhisper) -> None:
    assert micro.encode(np.zeros(16_000, np.float32), FULL_WINDOW_FRAMES).window_frames == FULL_WINDOW_FRAMES


@pytest.mark.parametrize(("name", "number"), [("en", 3), ("es", 6), ("de", 8), ("fr", 8)])
def test_one_encoding_serves_language_text_translation_and_words(
    micro: RightSizedWhisper, name: str, number: int
) -> None:
    job = encoded_sentence(micro, name, number)
    sentence = call(name).sentences[number]
    probabilities = micro.language_probabilities(job.encoded)
    assert max(probabilities, key=lambda code: probabilities[code]) == name
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-3)
    transcript = micro.generate([job])[0]
    assert transcript.text == sentence.text
    if name != "en":
        assert micro.generate([DecodeJob(job.encoded, name, "translate")])[0].text == sentence.english
    words = micro.align(job, transcript)
    assert " ".join(word.text for word in words) == sentence.text
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)


def test_a_batch_gives_what_its_jobs_give_alone(micro: RightSizedWhisper) -> None:
    jobs = [encoded_sentence(micro, name, number) for name in ("en", "de") for number in (0, 3)]
    same_window = [job for job in jobs if job.encoded.window_frames == jobs[0].encoded.window_frames]
    mixed = [*same_window, *(DecodeJob(job.encoded, job.language, "translate") for job in same_window)]
    assert len(mixed) >= 4
    together = micro.generate(mixed)
    assert [each.text for each in together] == [micro.generate([job])[0].text for job in mixed]


def test_a_text_goes_on_after_its_prefix(micro: RightSizedWhisper) -> None:
    """Also in a batch, where prefixes may differ in length."""
    jobs = [replace(encoded_sentence(micro, "en", number), timestamps=False) for number in (0, 3)]
    same_window = [job for job in jobs if job.encoded.window_frames == jobs[0].encoded.window_frames]
    for job in same_window:
        whole = micro.generate([job])[0]
        forced = [replace(job, prefix=whole.tokens[:length], quick=True) for length in (0, 3, len(whole.tokens) - 2)]
        assert [each.tokens for each in micro.generate(forced)] == [whole.tokens] * 3
        assert [micro.generate([each])[0].tokens for each in forced] == [whole.tokens] * 3


def test_a_text_says_until_when_it_reaches(micro: RightSizedWhisper) -> None:
    sentence = call("de").sentences[8]
    encoded = micro.encode(call("de").samples(sentence.start_ms - 200, sentence.end_ms + 500))
    timed, plain = (micro.generate([DecodeJob(encoded, "de", timestamps=on)])[0] for on in (True, False))
    assert timed.until_s == pytest.approx((sentence.end_ms - sentence.start_ms + 200) / 1000, abs=0.15)
    assert (plain.until_s, timed.unfinished, plain.unfinished) == (None, False, False)


def test_the_length_of_a_text_is_bounded_by_the_speech(micro: RightSizedWhisper) -> None:
    job = DecodeJob(micro.encode(call("en").samples(600, 700)), "en")
    decoded = micro.generate([job])[0]
    assert len(decoded.tokens) <= 26
    assert decoded.truncated == (len(decoded.tokens) >= 25)


def test_nothing_to_say_has_no_words(micro: RightSizedWhisper) -> None:
    job = DecodeJob(micro.encode(np.zeros(16_000, np.float32)), "en")
    silent = micro.generate([job])[0]
    assert silent.text == ""
    assert micro.align(job, silent) == []
