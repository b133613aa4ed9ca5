"""Word error rate, blind to case and punctuation."""

import unicodedata
from collections.abc import Iterable

import jiwer


def normalise(text: str) -> str:
    """Return casefolded words: apostrophes vanish, every other mark or symbol parts words."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    kept = (char if unicodedata.category(char)[0] in "LMN" else " " for char in folded)
    return " ".join("".join(kept).split())


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Return errors per word of the truth, pooled over pairs of (truth, hypothesis)."""
    truths, hypotheses = zip(*pairs, strict=True)
    found = jiwer.process_words([normalise(text) for text in truths], [normalise(text) for text in hypotheses])
    return float(found.wer)
