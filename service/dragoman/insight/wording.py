"""Figures that compare texts with references, by libraries; one that is not installed has no figure."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

_ENCODER: Final = "DRAGOMAN_BERTSCORE_MODEL"


def sentence_chrf(text: str, reference: str) -> float | None:
    """Return chrF of one sentence, from 0 to 1."""
    if find_spec("sacrebleu") is None:
        return None
    import sacrebleu

    return round(float(sacrebleu.sentence_chrf(text, [reference]).score) / 100, 4)


def corpus_figures(texts: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return BLEU, chrF and TER (0 to 100), ROUGE-L and BERTScore (0 to 1), as far as they can be had here."""
    figures: dict[str, float] = {}
    if find_spec("sacrebleu"):
        import sacrebleu

        figures["bleu"] = round(float(sacrebleu.corpus_bleu(list(texts), [list(references)]).score), 2)
        figures["corpus_chrf"] = round(float(sacrebleu.corpus_chrf(list(texts), [list(references)]).score), 2)
        figures["ter"] = round(float(sacrebleu.corpus_ter(list(texts), [list(references)]).score), 2)
    if find_spec("rouge_score"):
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer(["rougeL"])
        scores = [
            scorer.score(reference, text)["rougeL"].fmeasure for text, reference in zip(texts, references, strict=True)
        ]
        figures["rouge_l"] = round(sum(scores) / max(1, len(scores)), 4)
    encoder = os.environ.get(_ENCODER)
    if encoder and find_spec("bert_score"):
        from bert_score import BERTScorer

        *_, found = BERTScorer(model_type=encoder, num_layers=None).score(list(texts), list(references))
        figures["bertscore"] = round(float(found.mean()), 4)
    return figures
