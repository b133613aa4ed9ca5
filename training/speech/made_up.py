"""Voices that nobody has: variants of espeak-ng drawn at random, so that training hears more than those it ships with.

A variant is a small file in the folder of espeak-ng's data. The folder is left alone: a mirror of links to it holds the
variants made up. Source of the attributes: espeak-ng's ``docs/voices.md``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import espeakng_loader
import numpy as np

_FORMANTS: Final = 9
_VARIANTS: Final = Path("voices", "!v")

_OCCASIONAL: Final[tuple[tuple[float, Callable[[np.random.Generator], str]], ...]] = (
    (0.6, lambda rng: f"voicing {100 * np.exp(rng.normal(-0.2, 0.5)):.0f}"),
    (0.6, lambda rng: f"consonants {rng.integers(40, 130)} {rng.integers(20, 130)}"),
    (0.4, lambda rng: f"roughness {rng.integers(0, 6)}"),
    (0.4, lambda rng: f"flutter {rng.integers(0, 21)}"),
    (0.4, lambda rng: f"intonation {rng.integers(1, 5)}"),
    (0.3, lambda rng: f"echo {rng.integers(10, 130)} {rng.integers(5, 60)}"),
    (0.2, lambda rng: f"tone 600 {rng.integers(120, 256)} 1200 {rng.integers(20, 256)} 2000 {rng.integers(20, 200)}"),
    (0.2, lambda rng: "stressAmp " + " ".join(map(str, rng.integers(12, 30, 8)))),
    (0.2, lambda rng: "breath " + " ".join(map(str, rng.integers(0, 10, 8)))),
    (0.15, lambda rng: f"klatt {rng.integers(1, 5)}"),
)
"""What a voice may have, and how often it has."""


def mirror(folder: Path, count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Make ``folder`` a data folder of espeak-ng with ``count`` variants made up, and return their names."""
    original = Path(espeakng_loader.get_data_path())
    variants = folder / _VARIANTS
    variants.mkdir(parents=True)
    for path in original.iterdir():
        if path.name != "voices":
            (folder / path.name).symlink_to(path)
    names = tuple(f"made-{number:03}" for number in range(count))
    for name in names:
        (variants / name).write_text(made_up(name, rng))
    return names


def made_up(name: str, rng: np.random.Generator) -> str:
    """Return the text of a variant: a vocal tract, a pitch, and now and then breath, an echo, a tone or Klatt's voice.

    Formants are moved together by up to a third and each by itself, as in the variants that espeak-ng ships with.
    """
    lines = ["language variant", f"name {name}"]
    low = float(np.exp(rng.uniform(np.log(60), np.log(200))))
    lines.append(f"pitch {low:.0f} {low * rng.uniform(1.1, 1.8):.0f}")
    together = rng.uniform(-0.2, 0.33)
    for formant in range(_FORMANTS):
        place = 100 * np.exp(together + rng.normal(0, 0.14)) if formant else 100
        height, width = 100 * np.exp(rng.normal(0, (0.25, 0.3)))
        lines.append(f"formant {formant} {place:.0f} {height:.0f} {width:.0f}")
    lines += [line(rng) for share, line in _OCCASIONAL if rng.random() < share]
    return "\n".join(lines) + "\n"
