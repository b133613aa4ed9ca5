"""Figures of a whole corpus at once, as far as they can be had here: for the evaluation flows."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path


def corpus_figures(texts: Sequence[str], references: Sequence[str], encoder: Path | None = None) -> dict[str, float]:
    """Return BLEU, chrF and TER (0 to 100), ROUGE-L and BERTScore (0 to 1); without its library there is no figure."""
    figures: dict[str, float] = {}
    if find_spec("sacrebleu"):
        import sacrebleu

        figures["bleu"] = round(float(sacrebleu.corpus_bleu(list(texts), [list(references)]).score), 2)
        figures["corpus_chrf"] = round(float(sacrebleu.corpus_chrf(list(texts), [list(references)]).score), 2)
        figures["ter"] = round(float(sacrebleu.corpus_ter(list(texts), [list(references)]).score), 2)
    if find_spec("rouge_score"):
        from dragoman.evaluation.metrics.summary import rouge_counts

        scores = [
            rouge_counts(text, reference).sums["rougeL"][0] for text, reference in zip(texts, references, strict=True)
        ]
        figures["rouge_l"] = round(sum(scores) / max(1, len(scores)), 4)
    if encoder and find_spec("bert_score"):
        from dragoman.evaluation.metrics.meaning import Encoder

        found = Encoder(encoder).score(texts, references)
        figures["bertscore"] = round(sum(found) / max(1, len(found)), 4)
    return figures
