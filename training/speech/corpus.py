"""The training corpus: spoken sentences as mel power on disk, with everything that is known about them.

A shard is a pair of files, ``en-003.f16`` (frames, 80 bands of float16) and ``en-003.jsonl`` (one line per utterance).
Shards are made independently and kept, so that an interrupted build goes on where it stopped.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.acoustics.channels import channel
from training.acoustics.rooms import reverberate, room
from training.speech.espeak import SAMPLE_RATE_HZ, Espeak, Style, espeak
from training.speech.made_up import mirror
from training.speech.mel import BANDS, FRAMES_PER_S, log_power
from training.speech.voices import ORDINARY, Voice, choose_voice, training_variants
from training.text.sentences import LANGUAGES, Word, sentences
from training.text.words import recombined, sequences

SHARD: Final = 2_500
"""Utterances per shard."""

_IN_A_ROOM, _THROUGH_A_CHANNEL = 0.25, 0.25
_LONGEST_S: Final = 12.0
_MADE_UP_VOICES: Final = 120
"""In a shard; espeak-ng knows 350 at once, its own among them."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken sentence and where its frames lie.

    ``words`` are (text, start) and ``phonemes`` (name, start), in seconds from the utterance's first frame; speech
    begins and ends at ``begin_s`` and ``end_s``. ``english`` is a translation, ``None`` where there is none.
    """

    language: str
    voice: str
    words: tuple[tuple[str, float], ...]
    phonemes: tuple[tuple[str, float], ...]
    begin_s: float
    end_s: float
    english: str | None
    first: int
    frames: int


class Corpus:
    """A corpus on disk, its frames mapped into memory and shared by all processes."""

    def __init__(self, folder: Path) -> None:
        self.utterances: list[Utterance] = []
        self._frames: list[NDArray[np.float16]] = []
        self._shard_of: list[int] = []
        for index in sorted(folder.glob("*.jsonl")):
            shard = len(self._frames)
            self._frames.append(np.memmap(index.with_suffix(".f16"), np.float16, "r").reshape(-1, BANDS))
            for line in index.read_text().splitlines():
                fields = json.loads(line)
                fields["words"] = tuple((text, start) for text, start in fields["words"])
                fields["phonemes"] = tuple((name, start) for name, start in fields["phonemes"])
                self.utterances.append(Utterance(**fields))
                self._shard_of.append(shard)
        if not self.utterances:
            raise FileNotFoundError(f"There is no corpus in '{folder}'; make one with 'python -m training.speech'.")

    def log_power(self, index: int) -> NDArray[np.float32]:
        """Return the frames of an utterance, shape ``(frames, 80)``, log10 of mel power."""
        utterance = self.utterances[index]
        frames = self._frames[self._shard_of[index]]
        return frames[utterance.first : utterance.first + utterance.frames].astype(np.float32)


def build(folder: Path, utterances: int, made_up: int, seed: int, processes: int = 2) -> None:
    """Make what is missing of a corpus of so many utterances, and of ``made_up`` more by voices that nobody has.

    Both are spread evenly over the languages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    per_language, more = (-(-count // len(LANGUAGES) // SHARD) for count in (utterances, made_up))
    wanted = [
        (folder, language, part, seed, part >= per_language)
        for part in range(per_language + more)
        for language in LANGUAGES
    ]
    missing = [task for task in wanted if not _index(*task[:3]).exists()]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when a worker loads numpy: threads would fight over the cores
    # A new process for every shard, because espeak-ng speaks alike only from its start.
    with ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1) as pool:
        for done, name in enumerate(pool.map(_make_shard, missing), 1):
            print(f"corpus: {name} ({done} of {len(missing)})", flush=True)


def _index(folder: Path, language: str, part: int) -> Path:
    return folder / f"{language}-{part:03}.jsonl"


def _make_shard(task: tuple[Path, str, int, int, bool]) -> str:
    return build_shard(*task)


def build_shard(folder: Path, language: str, part: int, seed: int, made_up: bool = False) -> str:
    """Make one shard and return its name; one by ``made_up`` voices needs a process of its own."""
    index = _index(folder, language, part)
    numbers = seed, LANGUAGES.index(language), part
    lines: list[str] = []
    first = 0
    partial = index.with_suffix(".partial")
    with partial.open("wb") as file, tempfile.TemporaryDirectory() as data:
        unusual = training_variants()
        if made_up:
            unusual = mirror(Path(data), _MADE_UP_VOICES, np.random.default_rng(numbers))
        synthesiser = Espeak(Path(data)) if made_up else espeak()
        synthesiser.seed(seed)
        for words, english in _texts(language, int(np.random.default_rng(numbers).integers(1 << 31))):
            rng = np.random.default_rng((*numbers, len(lines)))
            variants = unusual if made_up or rng.random() >= 0.5 else ORDINARY
            made = _speak(synthesiser, words, choose_voice(language, variants, rng), english, rng, first)
            if made is None:
                continue
            utterance, frames = made
            file.write(frames.tobytes())
            lines.append(json.dumps(asdict(utterance), ensure_ascii=False))
            first += utterance.frames
            if len(lines) == SHARD:
                break
    partial.rename(index.with_suffix(".f16"))
    index.write_text("\n".join(lines))
    return index.stem


def _texts(language: str, seed: int) -> Iterator[tuple[tuple[Word, ...], str | None]]:
    """Yield sentences with their English (two in five), torn and rejoined ones (one in five), and free words."""
    rng = np.random.default_rng(seed)
    spoken, torn, free = sentences(seed, "train"), recombined(language, seed), sequences(language, seed)
    while True:
        kind = rng.random()
        if kind < 0.42:
            sentence = next(spoken)
            yield sentence.words[language], sentence.text("en") if language != "en" else None
        else:
            yield (next(torn) if kind < 0.62 else next(free)), None


def _speak(
    synthesiser: Espeak,
    words: tuple[Word, ...],
    voice: Voice,
    english: str | None,
    rng: np.random.Generator,
    first: int,
) -> tuple[Utterance, NDArray[np.float16]] | None:
    style = Style(int(rng.integers(115, 205)), int(rng.integers(25, 76)), int(rng.integers(25, 80)))
    spoken = synthesiser.speak(words, voice, style)
    samples = spoken.samples
    loud = np.flatnonzero(np.abs(samples) > 0.01 * max(np.abs(samples).max(initial=0.0), 1e-3))
    if not len(loud) or not words or len(samples) > _LONGEST_S * SAMPLE_RATE_HZ:
        return None
    if rng.random() < _IN_A_ROOM:
        samples = reverberate(samples, room(rng))
    if rng.random() < _THROUGH_A_CHANNEL:
        samples = channel(samples, rng)
    frames = log_power(samples)
    return (
        Utterance(
            language=voice.language,
            voice=voice.name,
            words=tuple(
                (word.written, round(start, 3)) for word, start in zip(words, spoken.word_starts_s, strict=True)
            ),
            phonemes=tuple((name, round(start, 3)) for name, start in spoken.phonemes),
            begin_s=round(float(loud[0]) / SAMPLE_RATE_HZ, 3),
            end_s=round(float(loud[-1]) / SAMPLE_RATE_HZ, 3),
            english=english,
            first=first,
            frames=len(frames),
        ),
        frames,
    )


def seconds(corpus: Corpus) -> float:
    """Return how much audio a corpus holds."""
    return sum(utterance.frames for utterance in corpus.utterances) / FRAMES_PER_S
