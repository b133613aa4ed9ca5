"""What a candidate is made of: whatever may change a figure."""

from pathlib import Path

from pydantic import JsonValue

from dragoman import __version__
from dragoman.assembly import translators_of
from dragoman.evaluation import normalise
from dragoman.resources import DIGEST_CHARS, code_digest, resolve_model
from dragoman.resources import digest_of as digest_of
from dragoman.settings import Settings


def describe_engines(settings: Settings) -> dict[str, JsonValue]:
    """Return what hears and translates."""
    folders = [Path(resolve_model(settings.model)), *translators_of(settings)]
    return {
        "dragoman": __version__,
        "code": code_digest()[:DIGEST_CHARS],
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
        "code": code_digest()[:DIGEST_CHARS],
        "chat_model": settings.chat_model,
        "chat_temperature": settings.chat_temperature,
        "azure": bool(settings.azure_endpoints),
    }
