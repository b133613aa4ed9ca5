"""How much a sentence is like its reference."""

from importlib.util import find_spec


def sentence_chrf(text: str, reference: str) -> float | None:
    """Return chrF of one sentence, from 0 to 1; ``None`` without sacrebleu."""
    if find_spec("sacrebleu") is None:
        return None
    import sacrebleu

    return round(float(sacrebleu.sentence_chrf(text, [reference]).score) / 100, 4)
