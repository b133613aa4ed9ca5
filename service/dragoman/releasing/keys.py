"""Who signs evidence, and whom we trust: Ed25519 keys in PEM files."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from dragoman.domain.errors import ReleaseInvalidError

PRIVATE: Final = "release.key"
PUBLIC: Final = "release.pub"

_MAKE: Final = "make a pair with: dragoman release keygen FOLDER"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key. ``id`` is the SHA-256 of its public half, in hex."""

    key: Ed25519PrivateKey

    @property
    def id(self) -> str:
        """What its signatures are known by."""
        return _id(self.key.public_key())

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes."""
        return self.key.sign(message)


@dataclass(frozen=True, slots=True)
class Trusted:
    """The public keys whose word counts."""

    keys: tuple[Ed25519PublicKey, ...]

    def signer_of(self, message: bytes, signature: bytes) -> str | None:
        """Return the id of the key that made a signature; ``None`` if it is none of ours."""
        for key in self.keys:
            try:
                key.verify(signature, message)
            except InvalidSignature:
                continue
            return _id(key)
        return None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys."""
        return tuple(_id(key) for key in self.keys)


def make_pair(folder: Path) -> tuple[Path, Path]:
    """Write a new pair, the private half for its owner's eyes only; return both files.

    Raises:
        ReleaseInvalidError: if there are keys already: evidence that they signed would be lost with them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    private, public = folder / PRIVATE, folder / PUBLIC
    if private.exists() or public.exists():
        raise ReleaseInvalidError(f"There are keys in '{folder}' already; choose another folder.")
    key = Ed25519PrivateKey.generate()
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def read_signer(file: Path | None) -> Signer:
    """Return the private key of a file.

    Raises:
        ReleaseInvalidError: if none is set, or the file holds none.
    """
    if file is None:
        raise ReleaseInvalidError(f"Signing needs a private key: set DRAGOMAN_RELEASE_KEY to its file ({_MAKE}).")
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ReleaseInvalidError(f"'{file}' holds no private key that can be read: {error}; {_MAKE}.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseInvalidError(f"'{file}' holds another kind of key than Ed25519; {_MAKE}.")
    return Signer(key)


def read_trusted(files: Iterable[Path]) -> Trusted:
    """Return the public keys of files.

    Raises:
        ReleaseInvalidError: if there are none, or a file holds none.
    """
    keys = []
    for file in files:
        try:
            key = load_pem_public_key(file.read_bytes())
        except (OSError, ValueError) as error:
            raise ReleaseInvalidError(f"'{file}' holds no public key that can be read: {error}; {_MAKE}.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ReleaseInvalidError(f"'{file}' holds another kind of key than Ed25519; {_MAKE}.")
        keys.append(key)
    if not keys:
        raise ReleaseInvalidError(
            f"Nobody is trusted: set DRAGOMAN_RELEASE_TRUSTED to the public keys of those who may sign ({_MAKE})."
        )
    return Trusted(tuple(keys))


def _id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()
