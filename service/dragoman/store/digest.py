"""What is stored in a secret's place."""

import hashlib


def digest(secret: str) -> str:
    """Return the SHA-256 of a key, ticket or token; of 256 random bits, so that nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
