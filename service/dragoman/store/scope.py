"""What an API key may do."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission of an API key."""

    STREAM = "stream"
    """Open sessions and send audio."""

    TRANSCRIPTS = "transcripts"
    """Read, search and delete transcripts."""

    METRICS = "metrics"
    """Read the service's figures."""

    ADMIN = "admin"
    """See and end the sessions of others."""
