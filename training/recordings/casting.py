"""Gives every line of the scripts its words."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from training.recordings.phrases import Phrasebook
from training.recordings.script import Agenda, Line, Recording, ScriptError
from training.text.sentences import LANGUAGES, Sentence, Split, Word

_NATIVE_CHANCE: Final = 0.75
_CROWD: Final = 24
"""Sentences that babble is made of."""

Words = Mapping[str, tuple[Word, ...]]


@dataclass(frozen=True, slots=True)
class Cue:
    """A line with its words in every language; ``split`` says whether training may have seen them."""

    speaker: str
    language: str
    words: Words
    split: Split

    def text(self, language: str) -> str:
        """Return what is said, as a transcript writes it."""
        return " ".join(word.written for word in self.words[language])


@dataclass(frozen=True, slots=True)
class Cast:
    """All that is said in a recording, and what people behind it say where they are heard at all."""

    cues: tuple[Cue, ...]
    crowd: tuple[Cue, ...]


def cast(recordings: Sequence[Recording]) -> Mapping[str, Cast]:
    """Return the words of every recording, by file; always give all: what one says, the others do not."""
    phrasebook = Phrasebook()
    cues = {recording.file: _cast(recording, phrasebook) for recording in recordings}
    return {recording.file: Cast(cues[recording.file], _crowd(recording, phrasebook)) for recording in recordings}


def _crowd(recording: Recording, phrasebook: Phrasebook) -> tuple[Cue, ...]:
    if recording.noise is None or recording.noise.kind != "babble":
        return ()
    rng = np.random.default_rng(recording.seed)
    said = [phrasebook.take(str(pattern)) for pattern in rng.permutation(phrasebook.patterns())[:_CROWD]]
    return tuple(
        Cue("", language, sentence.words, sentence.split)
        for language, sentence in zip(itertools.cycle(LANGUAGES), said, strict=False)
    )


def _cast(recording: Recording, phrasebook: Phrasebook) -> tuple[Cue, ...]:
    lines = recording.lines
    if recording.agenda:
        lines = _meeting(recording, recording.agenda, phrasebook)
    cues = []
    for line in lines:
        sentence = phrasebook.take(line.pattern, line.facts, hesitant=recording.hesitant)
        words = _opening(sentence) if line.opening_only else sentence.words
        cues.append(Cue(line.speaker, line.language, words, sentence.split))
    return tuple(cues)


def _meeting(recording: Recording, agenda: Agenda, phrasebook: Phrasebook) -> tuple[Line, ...]:
    """Return the lines of a meeting: turns of one to three sentences, mostly by those who have said little.

    They speak their own language, the n-th speaker the n-th, or answer in that of the one who spoke before.
    """
    rng = np.random.default_rng(recording.seed)
    own = dict(zip(recording.speakers, LANGUAGES, strict=True))
    names = list(own)
    per_topic = -(-agenda.sentences // len(agenda.topics))
    patterns = [
        pattern for topic in agenda.topics for pattern in rng.permutation(phrasebook.patterns(topic))[:per_topic]
    ]
    lines: list[Line] = []
    speaker, language = names[0], own[names[0]]
    while len(lines) < min(agenda.sentences, len(patterns)):
        turn = patterns[len(lines) : min(len(lines) + int(rng.integers(1, 4)), agenda.sentences)]
        lines += [Line(speaker, language, str(pattern)) for pattern in turn]
        others = [name for name in names if name != speaker]
        quiet = np.array([1 / (1 + sum(line.speaker == name for line in lines)) for name in others])
        speaker = str(rng.choice(others, p=quiet / quiet.sum()))
        language = own[speaker] if rng.random() < _NATIVE_CHANCE else language
    return tuple(lines)


def _opening(sentence: Sentence) -> Words:
    """Return what stands before the first comma, as a sentence of its own."""
    words = {}
    for language, whole in sentence.words.items():
        end = next((number for number, word in enumerate(whole, 1) if word.written.endswith(",")), None)
        if end is None:
            raise ScriptError(f"{sentence.pattern!r} has no comma in {language}; it cannot be cut short")
        last = whole[end - 1]
        words[language] = (*whole[: end - 1], Word(last.written[:-1] + ".", last.spoken[:-1] + "."))
    return words
