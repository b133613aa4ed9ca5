"""Keys for tests, made without a process of their own."""

from contextlib import closing
from pathlib import Path
from typing import Final

from dragoman.store.keys import KeyStore
from dragoman.store.scope import Scope

ORDINARY: Final = (Scope.STREAM, Scope.TRANSCRIPTS, Scope.METRICS)


def key_of(data: Path, tenant: str, *scopes: Scope) -> str:
    """Make a key with these scopes, or all but the administrator's."""
    with closing(KeyStore.open(f"sqlite:///{data / 'dragoman.db'}")) as keys:
        return keys.create("test", scopes or ORDINARY, tenant).key


def bearer(data: Path, tenant: str, *scopes: Scope) -> str:
    """Make such a key, and return the header that shows it."""
    return f"Bearer {key_of(data, tenant, *scopes)}"
