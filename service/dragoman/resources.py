"""Finds what ships beside the code: recordings, models and prompts, in a checkout or inside an installed wheel."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

BUNDLED_MODELS: Final = {"micro": "whisper-micro"}
"""Names of models that come with Dragoman, and their folders."""

DIGEST_CHARS: Final = 12

_NOT_CODE: Final = frozenset({"_data", "__pycache__"})
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


def digest_of(folder: Path) -> str | None:
    """Return twelve hex digits of the content of a folder; ``None`` if it is no folder, but a name."""
    if not folder.is_dir():
        return None
    return content_digest(folder, (each for each in folder.rglob("*") if each.is_file()))[:DIGEST_CHARS]


def content_digest(folder: Path, files: Iterable[Path]) -> str:
    """Return the SHA-256 of files of a folder, their names and what they hold, in hex."""
    digest = hashlib.sha256()
    for file in sorted(files):
        with file.open("rb") as content:
            digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


@cache
def code_digest() -> str:
    """Return the SHA-256 of this package's own files, in hex: the same in a checkout and in a wheel."""
    package = Path(__file__).parent
    files = (
        each for each in package.rglob("*") if each.is_file() and not _NOT_CODE & set(each.relative_to(package).parts)
    )
    return content_digest(package, files)
