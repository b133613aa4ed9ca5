"""BERTScore by any encoder in a folder: how alike two texts are in what they mean."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, cast

from dragoman.domain.errors import DependencyMissingError, ModelInvalidError
from dragoman.evaluation.figures import ratio
from dragoman.evaluation.metrics.metric import Counts, Metric

GROUP: Final = "Translation"

_DEPTH: Final = 0.75
"""The layer whose vectors agree best with people lies at about this depth: 17 of 24 for roberta-large, 9 of 12 for
bert-base-multilingual-cased (bert-score's own table, from Zhang et al., "BERTScore", ICLR 2020, appendix B).
"""


class _Tensor(Protocol):
    def tolist(self) -> list[float]: ...


class _Scorer(Protocol):
    def score(self, cands: list[str], refs: list[str]) -> tuple[_Tensor, _Tensor, _Tensor]: ...


class Encoder:
    """Scores texts by an encoder that transformers can load from a folder.

    Raises:
        DependencyMissingError: without bert-score.
        ModelInvalidError: if the folder holds no encoder.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from bert_score import BERTScorer
        except ImportError as error:
            raise DependencyMissingError(
                "BERTScore needs the extra 'bertscore': pip install 'dragoman[bertscore]'."
            ) from error
        try:
            layers = int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["num_hidden_layers"])
            scorer = BERTScorer(model_type=str(folder), num_layers=max(1, round(_DEPTH * layers)))
        except (OSError, ValueError, KeyError) as error:
            raise ModelInvalidError(f"'{folder}' holds no encoder that BERTScore can use: {error}") from error
        self.name = folder.name
        self._scorer = cast("_Scorer", scorer)

    def score(self, texts: Sequence[str], references: Sequence[str]) -> list[float]:
        """Return the F1 of every text beside its reference, about 0 to 1; 0 where there is no text."""
        there = [at for at, text in enumerate(texts) if text.strip()]
        scores = [0.0] * len(texts)
        if there:
            *_, found = self._scorer.score([texts[at] for at in there], [references[at] for at in there])
            for at, score in zip(there, found.tolist(), strict=True):
                scores[at] = float(score)
        return scores


def metrics(targets: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metric for each target language: the mean over texts."""
    return tuple(
        Metric(f"bertscore/{each}", f"BERTScore into {each}", GROUP, "higher", "ratio", f"bertscore/{each}", ratio())
        for each in targets
    )


def counts(target: str, score: float) -> Counts:
    """Return the counts of one text."""
    return Counts({f"bertscore/{target}": (score, 1.0)})
