"""The model card: how the model was made, what it was measured at, beside the baseline, and what it cannot do."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROMISES: Final = (
    ("WER, unseen combinations, ordinary voices", "≤ 2 %"),
    ("WER, unseen combinations, ordinary voices never heard", "≤ 4 %"),
    ("WER, unseen combinations, exotic voices never heard", "≤ 12 %"),
    ("WER, unseen patterns, ordinary voices", "≤ 25 % (at least ≤ 50 %)"),
    ("language right over 1 s of speech, unseen combinations, ordinary voices", "≥ 92 %"),
    ("language right over 3 s of speech, unseen combinations, ordinary voices", "≥ 98 %"),
    ("BLEU into English, unseen combinations, ordinary voices", "≥ 92"),
    ("WER, right-sized windows, with timestamps", "within 0.5 of full windows"),
    ("WER, full windows, with timestamps", ""),
    ("WER, right-sized windows, without timestamps", ""),
    ("WER, calls by faster-whisper, sequential, timestamped", "the four within 2 of each other"),
    ("WER, calls by faster-whisper, sequential, conditioned", ""),
    ("WER, calls by faster-whisper, batched, timestamped", ""),
    ("WER, calls by faster-whisper, batched, without timestamps", ""),
    ("utterances invented in 10 minutes without speech", "≤ 1"),
    ("word start error, median, unseen combinations, ordinary voices", "≤ 80 ms"),
)
"""The figures that the model is held to, and what was asked."""


@dataclass(frozen=True, slots=True)
class Making:
    """How a model was made."""

    command: str
    seed: int
    steps: int
    minutes: float
    utterances: int
    hours: float
    parameters: int
    bytes: int
    machine: str
    remark: str = ""


def card(making: Making, results: Path, baseline: Path) -> str:
    """Return the card of a model, from the kept results of it and of the baseline."""
    ours, theirs = _figures(results), _figures(baseline)
    main = [(name, asked, _value(ours, name), _value(theirs, name)) for name, asked in _PROMISES]
    rest = [(name, _value(ours, name), _value(theirs, name)) for name in ours if name not in dict(_PROMISES)]
    return _TEXT.format(
        making=making,
        megabytes=making.bytes / 1e6,
        millions=making.parameters / 1e6,
        promises=_table(("figure", "asked", "this model", "baseline"), main),
        rest=_table(("figure", "this model", "baseline"), rest),
        per_language=json.loads(results.read_text())["per_language"],
    )


def _figures(file: Path) -> dict[str, tuple[float, str]]:
    return {each["name"]: (each["value"], each["unit"]) for each in json.loads(file.read_text())["figures"]}


def _value(figures: dict[str, tuple[float, str]], name: str) -> str:
    if name not in figures:
        return "–"
    value, unit = figures[name]
    return (
        f"{value:.0f}{' ' + unit if unit else ''}"
        if unit == "ms" or (not unit and value < 11)
        else f"{value:.1f} {unit}".strip()
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_TEXT: Final = """# whisper-micro

A genuine Whisper of {millions:.1f} million parameters, {megabytes:.1f} MB in CTranslate2's int8, for Dragoman's tests
and demo: it makes the real engines run and give right answers on a machine without network. It knows English, Spanish,
German and French as espeak-ng speaks them. **It does not understand human speech**; take a real Whisper for that.

It does what Whisper does: language identification, transcription with and without timestamps, translation into
English, `<|nospeech|>`, earlier text as a prompt, word times by two alignment heads, windows of 1 to 30 s.

## Figures

Held out from training: patterns, combinations of slot values, voices and kinds of noise. {per_language} clips per
language and row, spoken anew by espeak-ng, through Dragoman's own path with right-sized windows and the language left
open, unless a row says otherwise. The baseline is the 3.5 MB model that this one replaced, trained on 52 patterns, on
the same clips: it recalls its sentences, and these are others (on its own ones it had 1.2 % of words wrong with voices
it knew, 1.9 % and 15 % with ordinary and exotic ones it did not). In `training/results/` as data.

{promises}

{rest}

## How it was made

`{making.command}`, seed {making.seed}: {making.steps} steps, {making.minutes:.0f} minutes of two cores
({making.machine}), on {making.utterances} utterances ({making.hours:.0f} hours) of synthetic speech: sentences of
customer calls from the patterns in `training/text`, torn and rejoined sentences, and free word sequences by word
frequency, spoken by espeak-ng in 14 accents and about 97 variants of timbre, in rooms, over lines and codecs, with
noise, music and babble. Losses, stages and windows are in `training/whisper`; why, in `docs/decisions/0006`.
{making.remark}
## Limits

Synthetic voices only. Where a figure above misses what was asked, the model has seen too little: errors were still
falling when its time was up. Words that are rare in customer calls are spelled by ear. Sentences it never saw cost many
words (see the rows on unseen patterns). Translation is into English, for sentences of its patterns, and is what it does
worst: one sentence in three is not word for word the reference, most by a single word, but now and then it says another
sentence of its patterns instead, though it transcribes the same one without a mistake. The text translator beside it
does that better.

## Licence

MIT, like the project. The sentences are ours. Word frequencies are from wordfreq (data under CC BY-SA 4.0), used to
draw words and not part of the model; espeak-ng (GPL-3.0) spoke the training data and is not part of it either.
"""
