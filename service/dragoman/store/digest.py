"""What is stored in a secret's place."""

import hashlib


def digest(secret: str) -> str:
    """Return the SHA-256 of a key, ticket or token; of 256 random bits, so that nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def subject_digest(tenant: str, subject: str) -> str:
    """Return what stands for a tenant's data subject, 64 hex digits: one id in two tenants is two subjects.

    Who knows an id finds its digest; who reads digests can only guess ids, so these must be opaque.
    """
    return digest(f"{tenant}\0{subject}")
