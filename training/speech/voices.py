"""espeak-ng's voices for our languages, and those that training never hears."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import espeakng_loader
import numpy as np

ACCENTS: Final = {
    "en": ("en-us", "en-us", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-us-nyc", "en-029"),
    "es": ("es", "es", "es-419"),
    "de": ("de",),
    "fr": ("fr", "fr", "fr-be", "fr-ch"),
}
"""Accents per language; the usual one of English, Spanish and French comes up twice as often."""

HELD_OUT_ORDINARY: Final = ("m5", "f3", "michel")
HELD_OUT_EXOTIC: Final = ("Alicia", "shelby")
"""Held out as in the baseline model's training, so that both can be measured on the same voices."""

ORDINARY: Final = (
    "m1", "m2", "m3", "m4", "m6", "m7", "m8", "f1", "f2", "f4", "f5", "klatt", "klatt2", "klatt3", "max", "adam",
    "Andy", "Annie", "Denis", "Diogo", "Gene", "Hugo", "Jacky", "Lee", "Mario", "Michael", "Mike", "Reed", "steph",
    "linda", "miguel", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "travis", "victor",
)  # fmt: skip
"""Variants that sound like a person; half of what training hears."""

# Not voices of their own, or nothing that an ear could follow.
_LEFT_OUT: Final = ("fast", "Tweaky")


@dataclass(frozen=True, slots=True)
class Voice:
    """An accent with a variant of timbre: ``en-us+f2``."""

    language: str
    accent: str
    variant: str

    @property
    def name(self) -> str:
        """Return espeak-ng's name of it."""
        return f"{self.accent}+{self.variant}"


def training_variants() -> tuple[str, ...]:
    """Return every variant that training may use."""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    unheard = {*HELD_OUT_ORDINARY, *HELD_OUT_EXOTIC, *_LEFT_OUT}
    return tuple(sorted(path.name for path in folder.iterdir() if path.name not in unheard))


def choose_voice(language: str, variants: tuple[str, ...], rng: np.random.Generator) -> Voice:
    """Draw an accent of a language and one of the variants."""
    return Voice(language, str(rng.choice(ACCENTS[language])), str(rng.choice(variants)))
