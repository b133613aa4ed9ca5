"""``python -m training.whisper.evaluate FOLDER``: the held-out figures of a model, through Dragoman's own path.

Every clip is a recording of its own, goes through decoding, segmenting, identification among all languages and
right-sized windows, and is scored by what the finals say. Figures of the model alone say so.
"""

import argparse
import asyncio
import io
import json
import time
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import sacrebleu
from faster_whisper import BatchedInferencePipeline, WhisperModel
from numpy.typing import NDArray

from bench.machine import describe
from bench.scoring import normalise, word_error_rate
from dragoman.domain.events import DurableEvent, TranscriptFinal, TranslationFinal
from dragoman.domain.language import base_language
from dragoman.engines.whisper.folder import WhisperOptions
from dragoman.engines.whisper.model import FULL_WINDOW_FRAMES, DecodeJob, RightSizedWhisper
from dragoman.runtime import Recording, Runtime, Wishes
from dragoman.settings import Settings
from training.acoustics.noises import noise
from training.speech.espeak import SAMPLE_RATE_HZ
from training.text.sentences import LANGUAGES
from training.whisper.clips import CONDITIONS, Clip, clips

RESULTS: Final = Path(__file__).parents[1] / "results"

_QUIET: Final = (
    ("digital silence", 60, 0.0),
    ("tones", 60, 0.1),
    ("hum", 60, 0.1),
    ("white", 60, 0.01),
    ("white", 60, 0.1),
    ("music", 60, 0.1),
    ("music", 60, 0.1),
    ("music", 60, 0.1),
    ("organ", 60, 0.1),
    ("bells", 60, 0.1),
)
"""Ten minutes in which nobody speaks: kind, seconds, level (root mean square)."""

_SENTENCES_PER_CALL: Final = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure, with how many clips it rests on."""

    name: str
    value: float
    unit: str
    clips: int


@dataclass(frozen=True, slots=True)
class _Heard:
    clip: Clip
    text: str
    english: str
    languages: frozenset[str]
    words: tuple[tuple[str, float], ...]


def main() -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--per-language", type=int, default=40)
    parser.add_argument("--results", type=Path, help="file; that of the folder's name in training/results by default")
    arguments = parser.parse_args()
    evaluate(arguments.model, arguments.results or RESULTS / f"{arguments.model.name}.json", arguments.per_language)


def evaluate(folder: Path, file: Path, per_language: int) -> None:
    """Measure a model, print its figures, and keep them in a file."""
    began = time.time()
    figures = measure(folder, per_language)
    result = {
        "model": file.stem,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": describe(),
        "per_language": per_language,
        "took_s": round(time.time() - began),
        "figures": [asdict(figure) for figure in figures],
    }
    file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def measure(folder: Path, per_language: int) -> Sequence[Measured]:
    """Return every figure of a model."""
    figures: list[Measured] = []

    def found(name: str, value: float, unit: str, count: int) -> None:
        figures.append(Measured(name, round(value, 4), unit, count))
        print(f"{name:75} {value:9.3f} {unit:4} ({count})", flush=True)

    with Runtime(Settings(model=str(folder), threads=1)) as runtime:
        for condition in CONDITIONS:
            heard = [_hear(runtime, clip) for clip in clips(condition, per_language)]
            pairs = [(each.clip.text, each.text) for each in heard]
            found(f"WER, {condition.name}", 100 * word_error_rate(pairs), "%", len(pairs))
            for language in LANGUAGES:
                some = [(each.clip.text, each.text) for each in heard if each.clip.language == language]
                found(f"WER {language}, {condition.name}", 100 * word_error_rate(some), "%", len(some))
            right = [each.languages == {each.clip.language} for each in heard]
            found(f"language right, {condition.name}", 100 * float(np.mean(right)), "%", len(right))
            foreign = [each for each in heard if each.clip.language != "en"]
            bleu = sacrebleu.corpus_bleu([each.english for each in foreign], [[each.clip.english for each in foreign]])
            found(f"BLEU into English, {condition.name}", bleu.score, "", len(foreign))
            errors = [error for each in heard for error in _word_errors(each)]
            if errors:
                found(f"word start error, median, {condition.name}", 1000 * median(errors), "ms", len(errors))
        invented = sum(_texts(runtime, _quiet(*each, seed)) for seed, each in enumerate(_QUIET))
        found("utterances invented in 10 minutes without speech", invented, "", len(_QUIET))
    model = RightSizedWhisper(WhisperOptions(str(folder), threads=1))
    for found_figure in (*_identification(model, per_language), *_windows(model, per_language), *_modes(folder)):
        found(found_figure.name, found_figure.value, found_figure.unit, found_figure.clips)
    return figures


def _hear(runtime: Runtime, clip: Clip) -> _Heard:
    events = asyncio.run(_events(runtime, clip.samples))
    finals = [event for event in events if isinstance(event, TranscriptFinal)]
    translations = [event.text for event in events if isinstance(event, TranslationFinal)]
    return _Heard(
        clip,
        " ".join(final.text for final in finals),
        " ".join(translations),
        frozenset(base_language(final.locale) for final in finals if final.text),
        tuple((word.text, word.start_ms / 1000) for final in finals for word in final.words),
    )


async def _events(runtime: Runtime, samples: NDArray[np.float32]) -> list[DurableEvent]:
    wishes = Wishes(translate=["en"], word_times=True)
    return [event async for event in runtime.transcribe(Recording(_wav(samples)), wishes)]


def _texts(runtime: Runtime, samples: NDArray[np.float32]) -> int:
    events = asyncio.run(_events(runtime, samples))
    return sum(isinstance(event, TranscriptFinal) and bool(event.text) for event in events)


def _quiet(kind: str, seconds: int, level: float, seed: int) -> NDArray[np.float32]:
    if kind == "digital silence":
        return np.zeros(seconds * SAMPLE_RATE_HZ, np.float32)
    return np.clip(level * noise(kind, seconds, np.random.default_rng((7, seed))), -1, 1)


def _word_errors(heard: _Heard) -> list[float]:
    """Return by how much the start of each word is off, where the words are all right."""
    truth = [(normalise(text), start) for text, start in heard.clip.words]
    said = [(normalise(text), start) for text, start in heard.words]
    if [text for text, _ in truth] != [text for text, _ in said]:
        return []
    return [abs(true - found) for (_, true), (_, found) in zip(truth, said, strict=True)]


def _identification(model: RightSizedWhisper, per_language: int) -> list[Measured]:
    """Identification by the model alone, of the first seconds of speech."""
    figures = []
    for seconds in (1.0, 3.0):
        for condition in CONDITIONS[:3]:
            right = []
            for clip in clips(condition, per_language):
                if clip.end_s - clip.begin_s < seconds:
                    continue
                start = round(max(clip.begin_s - 0.1, 0) * SAMPLE_RATE_HZ)
                piece = clip.samples[start : start + round((seconds + 0.1) * SAMPLE_RATE_HZ)]
                chances = model.language_probabilities(model.encode(piece))
                right.append(max(chances, key=lambda code: chances[code]) == clip.language)
            name = f"language right over {seconds:g} s of speech, {condition.name}"
            figures.append(Measured(name, 100 * float(np.mean(right)), "%", len(right)))
    return figures


def _windows(model: RightSizedWhisper, per_language: int) -> list[Measured]:
    """Right-sized windows beside full ones, with timestamps and without, by the model alone, in the true language."""
    test = list(clips(CONDITIONS[0], per_language))
    figures = []
    for name, margin in (("right-sized", None), ("full", FULL_WINDOW_FRAMES)):
        for timestamps in (True, False):
            pairs = []
            for clip in test:
                job = DecodeJob(model.encode(clip.samples, margin), clip.language, timestamps=timestamps)
                pairs.append((clip.text, model.generate([job])[0].text))
            mode = "with" if timestamps else "without"
            figures.append(
                Measured(f"WER, {name} windows, {mode} timestamps", 100 * word_error_rate(pairs), "%", len(pairs))
            )
    return figures


def _modes(folder: Path) -> list[Measured]:
    """Put calls of several sentences through faster-whisper's own modes."""
    whisper = WhisperModel(str(folder), compute_type="int8", cpu_threads=1)
    calls = _calls(list(clips(CONDITIONS[0], 20)))
    modes: dict[str, list[tuple[str, str]]] = {}
    usual = {"beam_size": 1, "temperature": 0.0}
    for samples, language, text in calls:
        fixed = {"language": language, **usual}
        for conditioned in (False, True):
            segments, _ = whisper.transcribe(samples, condition_on_previous_text=conditioned, **fixed)
            name = "conditioned" if conditioned else "timestamped"
            modes.setdefault(f"sequential, {name}", []).append((text, " ".join(each.text for each in segments)))
        for plain in (True, False):
            segments, _ = BatchedInferencePipeline(whisper).transcribe(samples, without_timestamps=plain, **fixed)
            name = "without timestamps" if plain else "timestamped"
            modes.setdefault(f"batched, {name}", []).append((text, " ".join(each.text for each in segments)))
    return [
        Measured(f"WER, calls by faster-whisper, {name}", 100 * word_error_rate(pairs), "%", len(pairs))
        for name, pairs in modes.items()
    ]


def _calls(test: list[Clip]) -> list[tuple[NDArray[np.float32], str, str]]:
    """Join clips of one language into calls."""
    calls = []
    for language in LANGUAGES:
        own = [clip for clip in test if clip.language == language]
        for first in range(0, len(own), _SENTENCES_PER_CALL):
            part = own[first : first + _SENTENCES_PER_CALL]
            calls.append((np.concatenate([clip.samples for clip in part]), language, " ".join(c.text for c in part)))
    return calls


def _wav(samples: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


if __name__ == "__main__":
    main()
