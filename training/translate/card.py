"""The model card: what the model is, how well it translates, and what it cannot do, from the figures of its run."""

from collections.abc import Mapping, Sequence
from typing import Final

from training.translate.evaluate import Figures, means

_CARD: Final = """---
license: mit
language: [en, es, de, fr]
pipeline_tag: translation
library_name: ctranslate2
---

# {name}

Translates sentences of customer calls between English, Spanish, German and French, in all twelve directions: a
Transformer of {parameters:.1f} million weights in {megabytes:.1f} MB, for tests and demonstrations of Dragoman. It is
one of Dragoman's own models, trained from nothing on text that the project wrote itself; `training/` makes it again.

## Use

The folder is a CTranslate2 model with Dragoman's `translation.json`. The source begins with the token of its
language (`<en>`) and ends with `</s>`; the translation begins with the token of the language wanted.

## Data

{patterns} patterns in `training/text/patterns`, each written in the four languages, whose slots (names, cities,
products, dates, amounts, codes and more) are filled at random. One pattern in ten is never trained on, and of the
others one combination of slot values in twelve. In training, names and numbers are replaced by made-up ones, sentences
come alone and in twos and threes, and sources arrive with slips: without punctuation, in small letters, mistyped.

## Quality

Measured on {texts} held-out texts per row and direction with `dragoman.engines.ctranslate`, means over the twelve
directions. BLEU and chrF by sacrebleu; *exact*: the share of translations that are the reference; *kept*: of those
that hold every name and number which all languages write alike.

{means}

BLEU per direction, beam 2:

{directions}

## Limits

* It knows the sentences of its patterns and little else. On patterns that it never saw it translates words and
  phrases it knows and invents the rest: see the row *pattern*. It is no general translator.
* It addresses people formally, as its data does, and writes no `¿` and `¡`.
* Long texts must be cut into sentences, as Dragoman does.

## Training

`{command}`: {steps:,} steps, {tokens:.1f} million tokens, {minutes:.0f} minutes on {machine}; seed {seed}. The budget
is time, so another machine takes another number of steps.

## Licence

MIT, like the project, data and model.
"""

Training = Mapping[str, str | int]


def card(
    name: str, training: Training, weights: int, size: int, patterns: int, texts: int, figures: Sequence[Figures]
) -> str:
    """Return the text of the folder's ``README.md``; ``size`` is the folder's, in bytes."""
    return _CARD.format(
        name=name,
        parameters=weights / 1e6,
        megabytes=size / 1e6,
        patterns=patterns,
        texts=texts,
        means=means_table(figures),
        directions=directions_table(figures),
        command=training["command"],
        steps=training["steps"],
        tokens=int(training["tokens"]) / 1e6,
        minutes=int(training["seconds"]) / 60,
        machine=training["machine"],
        seed=training["seed"],
    )


def means_table(figures: Sequence[Figures]) -> str:
    """Return one row per trial and beam."""
    header = ("trial", "beam", "BLEU", "chrF", "exact", "kept", "ms per text")
    rows = [
        (
            one.trial,
            str(one.beam),
            f"{one.bleu:.1f}",
            f"{one.chrf:.1f}",
            f"{one.exact:.1%}",
            "–" if one.kept is None else f"{one.kept:.1%}",
            f"{one.ms_per_text:.1f}",
        )
        for one in means(figures)
    ]
    return _markdown(header, rows)


def directions_table(figures: Sequence[Figures]) -> str:
    """Return BLEU with the widest beam, one row per direction, one column per trial."""
    widest = max(one.beam for one in figures)
    trials = list(dict.fromkeys(one.trial for one in figures))
    bleu = {(one.trial, f"{one.source} → {one.target}"): one.bleu for one in figures if one.beam == widest}
    rows = [
        (direction, *(f"{bleu[trial, direction]:.1f}" for trial in trials))
        for direction in dict.fromkeys(direction for _, direction in bleu)
    ]
    return _markdown(("direction", *trials), rows)


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
