"""How translation models are run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CTranslate2Options:
    """What the runtime decides about every translation model."""

    device: str = "cpu"
    """``"cpu"``, ``"cuda"`` or ``"auto"``."""

    compute_type: str = "int8"
    """Number format of the weights in memory, in CTranslate2's words; ``"int8"`` is the fastest on any CPU."""

    intra_threads: int = 0
    """Threads of one translation; 0 is one for models that fit that, and lets CTranslate2 choose for larger ones."""

    beam_size: int = 2
    """Hypotheses kept while decoding; 1 is greedy."""

    batch_size: int = 16
    """Pieces decoded at once; bounds the memory that a long text takes."""

    piece_tokens: int = 128
    """Longest run of text, in tokens, that a model reads at once; longer texts are cut.

    Translation models learn from single sentences, and the positions of OPUS-MT end at 512.
    """

    def __post_init__(self) -> None:
        for name in ("beam_size", "batch_size", "piece_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.intra_threads < 0:
            raise ValueError("intra_threads must not be negative")
