"""Who uses a server, what they may see, and how much they may use."""

from dataclasses import dataclass
from typing import Final

DEFAULT_TENANT: Final = "default"


@dataclass(frozen=True, slots=True)
class Quota:
    """How much a caller may use; what is ``None`` is not limited.

    ``streams`` are live at once. Days are those of UTC; ``minutes_per_day`` count accepted audio, and ``bytes_per_day``
    the sizes of files, and 32,000 for a second of live audio.
    """

    streams: int | None = None
    minutes_per_day: float | None = None
    bytes_per_day: int | None = None


UNLIMITED: Final = Quota()


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody of a tenant, who sees what is the tenant's and nothing else.

    ``owner`` is the id of an API key or of an identity in Entra; ``None`` while a server has neither. ``until_s`` is
    when what it showed ends, in Unix time, if that is known.
    """

    tenant: str = DEFAULT_TENANT
    owner: str | None = None
    quota: Quota = UNLIMITED
    until_s: float | None = None
