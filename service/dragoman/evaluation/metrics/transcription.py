"""Word and character error rates, by jiwer, and words that nobody said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import jiwer

from dragoman.evaluation.figures import ratio
from dragoman.evaluation.metrics.metric import Counts, Metric, share
from dragoman.evaluation.normalise import words
from dragoman.evaluation.units import Unit

GROUP: Final = "Transcription"

METRICS: Final = (
    share("wer", "Word error rate", GROUP, "lower", "words"),
    share("cer", "Character error rate", GROUP, "lower", "characters"),
    share("deletions", "Words that were said and not heard", GROUP, "lower"),
    share("insertions", "Words that were heard and not said", GROUP, "lower"),
    Metric(
        "false_words_per_minute",
        "Words a minute heard where nobody speaks",
        GROUP,
        "lower",
        "number",
        "false_words",
        ratio(60),
    ),
)

Change = Literal["equal", "substitute", "delete", "insert"]


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of an alignment: the words that were said, and those that were heard for them."""

    change: Change
    said: str
    heard: str


def count(unit: Unit) -> Counts:
    """Return the counts of what was said and heard in a stretch."""
    said, heard = _said(unit), _heard(unit)
    if not said:
        wrong = float(len(heard))
        characters = float(len(" ".join(heard)))
        return Counts(
            {"words": (wrong, 0.0), "characters": (characters, 0.0), "deletions": (0.0, 0.0), "insertions": (wrong, 0)}
        )
    aligned = jiwer.process_words(" ".join(said), " ".join(heard))
    by_character = jiwer.process_characters(" ".join(said), " ".join(heard))
    errors = aligned.substitutions + aligned.deletions + aligned.insertions
    wrong_characters = by_character.substitutions + by_character.deletions + by_character.insertions
    total = float(len(said))
    return Counts(
        {
            "words": (errors, total),
            "characters": (wrong_characters, len(" ".join(said))),
            "deletions": (aligned.deletions, total),
            "insertions": (aligned.insertions, total),
        }
    )


def count_silence(units: Sequence[Unit], duration_ms: int) -> Counts:
    """Return the counts of a recording in which nobody speaks."""
    return Counts({"false_words": (float(sum(len(_heard(unit)) for unit in units)), duration_ms / 1_000)})


def align(unit: Unit) -> list[Step]:
    """Return how what was said became what was heard, in the words that are compared."""
    said, heard = _said(unit), _heard(unit)
    if not said or not heard:
        whole = Step("delete" if said else "insert", " ".join(said), " ".join(heard))
        return [whole] if said or heard else []
    (chunks,) = jiwer.process_words(" ".join(said), " ".join(heard)).alignments
    return [
        Step(
            cast("Change", chunk.type),
            " ".join(said[chunk.ref_start_idx : chunk.ref_end_idx]),
            " ".join(heard[chunk.hyp_start_idx : chunk.hyp_end_idx]),
        )
        for chunk in chunks
    ]


def _said(unit: Unit) -> list[str]:
    return [word for each in unit.references for word in words(each.text, each.locale)]


def _heard(unit: Unit) -> list[str]:
    return [word for each in unit.heard for word in words(each.text, each.locale)]
