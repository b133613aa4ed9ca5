"""Identification of languages: the confusion of what was spoken with what was identified, and how long it took."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from dragoman.evaluation.figures import Floats, OfSums
from dragoman.evaluation.metrics.metric import Counts, Metric, percentiles
from dragoman.evaluation.units import Unit

GROUP: Final = "Language identification"
UNHEARD: Final = "none"
"""What is identified where nothing was heard."""


def metrics(locales: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics over these locales; precision, recall and F1 are means over the locales that are spoken."""
    size = len(locales)

    def of(share: int) -> OfSums:
        return OfSums(lambda sums: _shares(sums[:, :-1].reshape(len(sums), size, size + 1))[share], observed=-1)

    return (
        Metric("lid_accuracy", "Utterances in the right language", GROUP, "higher", "share", "languages", of(0)),
        Metric("lid_precision", "Precision, mean of the languages", GROUP, "higher", "share", "languages", of(1)),
        Metric("lid_recall", "Recall, mean of the languages", GROUP, "higher", "share", "languages", of(2)),
        Metric("lid_f1", "F1, mean of the languages", GROUP, "higher", "share", "languages", of(3)),
        *percentiles("decision_ms", "Speech until the language is said", GROUP, (50, 95)),
    )  # fmt: skip


def count(unit: Unit, locales: Sequence[str]) -> Counts:
    """Return the counts of a stretch: the confusion matrix, row by row, and the number.

    A row is a spoken language, its columns are identified ones and, last, none. A stretch in which several languages
    are spoken is none that can be right.
    """
    if unit.locale is None:
        return Counts()
    matrix = np.zeros((len(locales), len(locales) + 1))
    identified = unit.heard_locale
    column = locales.index(identified) if identified in locales else len(locales)
    matrix[locales.index(unit.locale), column] = 1
    return Counts({"languages": (*matrix.ravel().tolist(), 1.0)})


def confusion(sums: Sequence[float], locales: Sequence[str]) -> list[list[int]]:
    """Return the matrix of summed counts: a row per spoken locale, a column per identified one, the last is none."""
    return [[round(each) for each in row] for row in np.reshape(sums[:-1], (len(locales), len(locales) + 1)).tolist()]


def _shares(matrices: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return accuracy and macro precision, recall and F1 of confusion matrices, shape ``(draws, size, size + 1)``."""
    right = np.diagonal(matrices, axis1=1, axis2=2)
    spoken = matrices.sum(axis=2)
    identified = matrices[:, :, :-1].sum(axis=1)
    precision = np.nan_to_num(right / identified)
    recall = np.nan_to_num(right / spoken)
    f1 = np.nan_to_num(2 * right / (identified + spoken))
    there = spoken > 0
    accuracy = right.sum(axis=1) / spoken.sum(axis=1)
    number = there.sum(axis=1)
    macro = [(np.where(there, each, 0)).sum(axis=1) / number for each in (precision, recall, f1)]
    return accuracy, macro[0], macro[1], macro[2]
