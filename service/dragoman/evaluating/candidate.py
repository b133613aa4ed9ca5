"""What a candidate is made of: whatever may change a figure."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from dragoman import __version__
from dragoman.assembly import translators_of
from dragoman.evaluation import normalise
from dragoman.resources import resolve_model
from dragoman.settings import Settings

_DIGEST_CHARS: Final = 12
_NOT_CODE: Final = frozenset({"_data", "__pycache__"})


@cache
def code_digest() -> str:
    """Return the SHA-256 of this package's own files, in hex: the same in a checkout and in a wheel."""
    package = Path(__file__).parents[1]
    files = (
        each for each in package.rglob("*") if each.is_file() and not _NOT_CODE & set(each.relative_to(package).parts)
    )
    return content_digest(package, files)


def describe_engines(settings: Settings) -> dict[str, JsonValue]:
    """Return what hears and translates."""
    folders = [Path(resolve_model(settings.model)), *translators_of(settings)]
    return {
        "dragoman": __version__,
        "code": code_digest()[:_DIGEST_CHARS],
        "model": settings.model,
        "digests": {each.name: digest for each in folders if (digest := digest_of(each))},
        "compute_type": settings.compute_type,
        "beam_size": settings.beam_size,
        "azure": bool(settings.azure_endpoints),
        "normaliser": normalise.VERSION,
    }


def describe_chat(settings: Settings) -> dict[str, JsonValue]:
    """Return what says what follows."""
    return {
        "dragoman": __version__,
        "code": code_digest()[:_DIGEST_CHARS],
        "chat_model": settings.chat_model,
        "chat_temperature": settings.chat_temperature,
        "azure": bool(settings.azure_endpoints),
    }


def digest_of(folder: Path) -> str | None:
    """Return twelve hex digits of the content of a folder; ``None`` if it is no folder, but a name."""
    if not folder.is_dir():
        return None
    return content_digest(folder, (each for each in folder.rglob("*") if each.is_file()))[:_DIGEST_CHARS]


def content_digest(folder: Path, files: Iterable[Path]) -> str:
    """Return the SHA-256 of files of a folder, their names and what they hold, in hex."""
    digest = hashlib.sha256()
    for file in sorted(files):
        with file.open("rb") as content:
            digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()
