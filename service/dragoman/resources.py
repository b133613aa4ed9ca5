"""Finds what ships beside the code: recordings, models and prompts, in a checkout or inside an installed wheel."""

from pathlib import Path
from typing import Final

BUNDLED_MODELS: Final = {"micro": "whisper-micro"}
"""Names of models that come with Dragoman, and their folders."""

_BUNDLED_TRANSLATORS: Final = {"micro": ("translate-micro",)}


def samples_folder() -> Path:
    """Return the folder that holds ``audio/`` and ``models/``."""
    package = Path(__file__).parent
    wheel = package / "_data" / "samples"
    return wheel if wheel.is_dir() else package.parents[1] / "samples"


def flows_folder() -> Path:
    """Return the folder that holds the content of the LLM steps, one folder each."""
    package = Path(__file__).parent
    wheel = package / "_data" / "flows"
    return wheel if wheel.is_dir() else package.parents[1] / "flows"


def bundled_translators(model: str) -> tuple[Path, ...]:
    """Return the translation models that suit a bundled model: they know what it knows, and nothing else."""
    return tuple(samples_folder() / "models" / folder for folder in _BUNDLED_TRANSLATORS.get(model, ()))


def resolve_model(name: str) -> str:
    """Return the folder of a bundled model, or ``name`` itself."""
    folder = BUNDLED_MODELS.get(name)
    return str(samples_folder() / "models" / folder) if folder else name
