"""Training windows: sentences put one after another, disturbed, and what the model should say to them.

Conventions of Whisper: a sentence stands between timestamps; one that the window cuts off leaves its start only;
silence is ``<|nospeech|>`` where the language would be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.speech.corpus import Corpus, Utterance
from training.speech.mel import BANDS, FRAMES_PER_S, whisper_input
from training.whisper.disturb import QUIETEST, Disturbance, FloatArray
from training.whisper.recipe import Recipe
from training.whisper.tokens import Tokens

LONGEST_S: Final = 29.9
_USUAL_LONGEST_S: Final = 14.0
_MAX_INITIAL_S: Final = 1.0
"""Decoders take no first timestamp later than this (Whisper's ``max_initial_timestamp``)."""

_LEADS_S, _LEAD_SHARES = (0.3, 1.0, 3.0), (0.4, 0.5, 0.1)
"""The most silence before the speech, and how often it is that."""

NOWHERE: Final = (-1.0, -1.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to say to a window: ``targets`` are to be predicted from ``inputs`` where ``learn`` says so.

    ``heard_at``: per target, from when to when (seconds) it can be heard, or ``NOWHERE``. All four are equally long.
    """

    inputs: list[int]
    targets: list[int]
    learn: list[bool]
    heard_at: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Window:
    """``mel``: shape (frames, 80), an even number of frames. ``sounds``: a phoneme class per 20 ms, -1 if unknown."""

    mel: FloatArray
    rows: list[Row]
    spelling: list[int]
    sounds: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A sentence, or some words of one, in seconds from the window's start; ``cut`` by the window's end."""

    words: list[tuple[str, float]]
    begin_s: float
    end_s: float
    english: str | None
    whole: bool = True
    cut: bool = False


@dataclass(slots=True)
class _Canvas:
    """Log power of the speech in a window, and who says what when."""

    logs: FloatArray
    sounds: NDArray[np.int64]
    placed: list[_Placed] = field(default_factory=list)


class Windows:
    """Makes windows of a corpus."""

    def __init__(
        self,
        corpus: Corpus,
        noises: Sequence[NDArray[np.float16]],
        tokens: Tokens,
        phonemes: dict[str, int],
        seed: int,
    ) -> None:
        self._corpus = corpus
        self._tokens = tokens
        self._phonemes = phonemes
        self._rng = np.random.default_rng(seed)
        self._disturbance = Disturbance(noises, self._rng)
        self._words: dict[str, list[int]] = {}
        self._by_language: dict[str, list[int]] = {}
        self._translated: dict[str, list[int]] = {}
        for index, utterance in enumerate(corpus.utterances):
            self._by_language.setdefault(utterance.language, []).append(index)
            if utterance.english:
                self._translated.setdefault(utterance.language, []).append(index)

    def window(self, recipe: Recipe, prompted: bool) -> Window:
        """Make one window; ``prompted`` ones have earlier text before them."""
        rng = self._rng
        language = str(rng.choice(list(self._by_language)))
        if rng.random() < recipe.no_speech:
            return self._without_speech(language)
        canvas = self._speech(language, recipe)
        mel = self._disturbance.disturb(canvas.logs, recipe)
        prompt = self._prompt(language) if prompted else []
        spelling = [token for placed in canvas.placed for text, _ in placed.words for token in self._word(text)]
        return Window(mel, self._rows(canvas.placed, language, prompt, len(mel)), spelling, canvas.sounds)

    # -- speech ----------------------------------------------------------------------------------------------------

    def _speech(self, language: str, recipe: Recipe) -> _Canvas:
        rng = self._rng
        longest_s = _USUAL_LONGEST_S
        count = 1
        if rng.random() < recipe.several:
            count = int(rng.choice([2, 2, 2, 2, 3, 3, 4]))
        if rng.random() < recipe.long:
            count, longest_s = int(rng.integers(6, 12)), LONGEST_S
        tempo = float(rng.uniform(0.88, 1.14)) if rng.random() < 0.2 else 1.0
        choices, cropped = self._by_language[language], recipe.cropped
        if language in self._translated and rng.random() < recipe.translated:
            choices, cropped = self._translated[language], 0.0
        tight = rng.random() < recipe.tight
        lead_s = 0.3 * float(rng.random()) if tight else float(rng.choice(_LEADS_S, p=_LEAD_SHARES) * rng.random())
        pieces: list[FloatArray] = []
        sounds: list[NDArray[np.int64]] = []
        placed: list[_Placed] = []
        at = round(lead_s * FRAMES_PER_S)
        pieces.append(_silence(at))
        for turn in range(count):
            index = choices[int(rng.integers(len(choices)))]
            utterance = self._corpus.utterances[index]
            logs = self._corpus.log_power(index) + np.float32(rng.normal(0, 0.2))
            first, last = self._crop(utterance, cropped if count == 1 else 0.0)
            begin, end = _frames_of(utterance, first, last)
            logs = _stretch(logs[begin:end], tempo)
            if turn and at + len(logs) > longest_s * FRAMES_PER_S:
                break
            scale = FRAMES_PER_S * tempo
            words = [
                (text, at / FRAMES_PER_S + (s * FRAMES_PER_S - begin) / scale)
                for text, s in utterance.words[first:last]
            ]
            placed.append(
                _Placed(
                    words,
                    max(
                        at / FRAMES_PER_S + (utterance.begin_s * FRAMES_PER_S - begin) / scale, words[0][1] - 0.02, 0.0
                    ),
                    min(at + (utterance.end_s * FRAMES_PER_S - begin) / tempo, at + len(logs)) / FRAMES_PER_S,
                    utterance.english,
                    whole=last - first == len(utterance.words),
                )
            )
            sounds.append(self._sounds(utterance, begin / FRAMES_PER_S, tempo, at))
            pieces.append(logs)
            at += len(logs)
            gap = round(float(rng.uniform(0.05, 1.1)) * FRAMES_PER_S) if turn < count - 1 else 0
            pieces.append(_silence(gap))
            at += gap
        tail = int(rng.integers(0, 30 if tight else 90 if rng.random() < 0.9 else 300))
        pieces.append(_silence(min(tail, round(LONGEST_S * FRAMES_PER_S) - at)))
        logs = np.concatenate(pieces)[: round(LONGEST_S * FRAMES_PER_S)]
        cut = len(placed) > 1 and rng.random() < recipe.cut
        if cut:
            logs, placed = self._cut(logs, placed)
        logs = logs[: len(logs) // 2 * 2]
        return _Canvas(logs, _labels(sounds, len(logs) // 2), placed)

    def _crop(self, utterance: Utterance, share: float) -> tuple[int, int]:
        """Choose the words of an utterance to use: all of them, or a few, so that short windows are learned too."""
        words = len(utterance.words)
        if words < 3 or self._rng.random() >= share:
            return 0, words
        length = int(self._rng.integers(1, min(words, 6)))
        first = int(self._rng.integers(0, words - length + 1))
        return first, first + length

    def _cut(self, logs: FloatArray, placed: list[_Placed]) -> tuple[FloatArray, list[_Placed]]:
        """End the window within its last sentence."""
        last = placed[-1]
        if last.end_s - last.begin_s < 0.8:
            return logs, placed
        at_s = float(self._rng.uniform(last.begin_s + 0.2, last.end_s - 0.3))
        starts = [start for _, start in last.words[1:]] + [last.end_s]
        heard = [word for word, end in zip(last.words, starts, strict=True) if end <= at_s]
        cut = _Placed(heard, last.begin_s, at_s, None, whole=False, cut=True)
        return logs[: round(at_s * FRAMES_PER_S)], [*placed[:-1], cut]

    def _sounds(self, utterance: Utterance, origin_s: float, tempo: float, at: int) -> NDArray[np.int64]:
        """Return (position, class) pairs, a change of phoneme each."""
        changes = [
            (round((at + (start - origin_s) * FRAMES_PER_S / tempo) / 2), self._phonemes.get(name, 0))
            for name, start in utterance.phonemes
        ]
        changes.append((round((at + (utterance.end_s - origin_s) * FRAMES_PER_S / tempo) / 2), 0))
        return np.array(sorted(changes), np.int64)

    def _without_speech(self, language: str) -> Window:
        rng = self._rng
        frames = 2 * int(rng.choice([rng.integers(20, 200), rng.integers(100, 750)]))
        logs = _silence(frames)
        if rng.random() < 0.9:
            logs = self._disturbance.noise(frames)
            if rng.random() < 0.3:  # a noise that comes and goes
                begin, end = sorted(rng.integers(0, frames, 2))
                logs[:begin] = logs[end:] = np.maximum(logs.min() - np.float32(rng.uniform(0, 3)), QUIETEST)
        logs = np.maximum(logs + np.float32(rng.uniform(-4, 1)), QUIETEST)
        mel = whisper_input(logs, float(logs.max() + rng.uniform(0, 4)) if rng.random() < 0.3 else None)
        tokens = self._tokens
        task = tokens.transcribe if rng.random() < 0.6 else tokens.translate
        start = [tokens.sot, tokens.language[language]]
        rows = []
        for first in (tokens.timestamp(0.0), tokens.no_timestamps):
            # That nobody speaks is said in the language's place.
            learn = [True, False, first != tokens.no_timestamps, True]
            rows.append(Row([*start, task, first], [tokens.no_speech, task, first, tokens.eot], learn, [NOWHERE] * 4))
        return Window(mel, rows, [], np.zeros(frames // 2, np.int64))

    # -- words -----------------------------------------------------------------------------------------------------

    def _rows(self, placed: list[_Placed], language: str, prompt: list[int], frames: int) -> list[Row]:
        rng = self._rng
        translatable = language != "en" and all(each.cut or (each.english and each.whole) for each in placed)
        stamped = bool(rng.random() < 0.6)
        until_s = frames / FRAMES_PER_S
        # Many sentences without times are hardest, and cost little more once the window is heard.
        modes = (True, False) if len(placed) > 3 else (stamped,)
        rows = [self._row(placed, language, prompt, until_s, stamped=mode, translate=False) for mode in modes]
        if translatable:
            other_mode = placed[-1].cut or bool(rng.random() < 0.6)
            rows.append(self._row(placed, language, prompt, until_s, stamped=other_mode, translate=True))
        return rows

    def _row(
        self, placed: list[_Placed], language: str, prompt: list[int], until_s: float, *, stamped: bool, translate: bool
    ) -> Row:
        tokens = self._tokens
        head = [*prompt, tokens.sot, tokens.language[language], tokens.translate if translate else tokens.transcribe]
        learn = [False] * len(prompt) + [True, False]
        said: list[int] = [] if stamped else [tokens.no_timestamps]
        heard: list[tuple[float, float]] = [] if stamped else [NOWHERE]
        for turn, sentence in enumerate(placed):
            following_s = placed[turn + 1].begin_s if turn + 1 < len(placed) else until_s
            if stamped:
                begin_s = min(sentence.begin_s, _MAX_INITIAL_S) if not turn else sentence.begin_s
                said.append(tokens.timestamp(begin_s))
                heard.append((begin_s - 0.1, begin_s + 0.1))
            if stamped and sentence.cut:
                break
            if translate:
                english = self._sentence(sentence.english or "")
                said += english
                heard += [NOWHERE] * len(english)
            else:
                self._transcript(sentence, following_s, said, heard)
            if stamped:
                said.append(tokens.timestamp(sentence.end_s))
                heard.append((sentence.end_s - 0.1, sentence.end_s + 0.1))
        said.append(tokens.eot)
        heard.append(NOWHERE if translate else (placed[-1].end_s - 0.05, until_s))
        learn += [stamped, *([True] * (len(said) - 1))]
        row = [*head, *said]
        return Row(row[:-1], row[1:], learn, [NOWHERE] * (len(head) - 1) + heard)

    def _transcript(
        self, sentence: _Placed, following_s: float, said: list[int], heard: list[tuple[float, float]]
    ) -> None:
        if not sentence.words:
            return
        starts = [start for _, start in sentence.words] + [sentence.end_s]
        for (text, start), end in zip(sentence.words, starts[1:], strict=True):
            ids = self._word(text)
            said.extend(ids)
            heard.extend([(start - 0.04, max(end, start) + 0.04)] * len(ids))
        if sentence.words[-1][0][-1] in ".,?!" and len(self._word(sentence.words[-1][0])) > 1:
            # The last mark owns the silence after it, so that alignment does not give it to the next word.
            heard[-1] = (sentence.end_s - 0.06, max(following_s - 0.04, sentence.end_s))

    def _prompt(self, language: str) -> list[int]:
        """Return earlier text, with timestamps or without, as a decoder that conditions on it would give."""
        rng = self._rng
        stamped = rng.random() < 0.5
        said: list[int] = []
        at_s = 0.0
        for _ in range(int(rng.integers(1, 6))):
            choices = self._by_language[language]
            utterance = self._corpus.utterances[choices[int(rng.integers(len(choices)))]]
            text = [token for word, _ in utterance.words for token in self._word(word)]
            end_s = at_s + utterance.end_s
            if end_s >= LONGEST_S:
                break
            said += [self._tokens.timestamp(at_s), *text, self._tokens.timestamp(end_s)] if stamped else text
            at_s = end_s + 0.3
        return [self._tokens.prev, *said[-120:]]

    def _word(self, text: str) -> list[int]:
        if text not in self._words:
            self._words[text] = self._tokens.word(text)
        return self._words[text]

    def _sentence(self, text: str) -> list[int]:
        return [token for word in text.split() for token in self._word(word)]


def _silence(frames: int) -> FloatArray:
    return np.full((max(frames, 0), BANDS), QUIETEST, np.float32)


def _frames_of(utterance: Utterance, first: int, last: int) -> tuple[int, int]:
    """Return from which frame to which some words reach."""
    words = utterance.words
    begin = 0 if first == 0 else round(words[first][1] * FRAMES_PER_S) - 2
    end = utterance.frames if last == len(words) else round(words[last][1] * FRAMES_PER_S) + 2
    return max(begin, 0), max(min(end, utterance.frames), begin + 8)


def _stretch(logs: FloatArray, tempo: float) -> FloatArray:
    """Return the frames played ``tempo`` times faster."""
    if tempo == 1.0 or len(logs) < 2:
        return logs
    places = np.arange(0, len(logs) - 1, tempo, dtype=np.float32)
    before = places.astype(np.int64)
    share = (places - before)[:, None]
    return logs[before] * (1 - share) + logs[before + 1] * share


def _labels(changes: list[NDArray[np.int64]], positions: int) -> NDArray[np.int64]:
    """Return the class at every position; silence (0) between utterances."""
    labels = np.zeros(positions, np.int64)
    for utterance in changes:
        ends = [*utterance[1:, 0], utterance[-1, 0]]
        for (start, name), end in zip(utterance, ends, strict=True):
            labels[max(start, 0) : max(end, 0)] = name
    return labels
