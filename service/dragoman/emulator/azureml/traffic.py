"""Who gets a request: percentages of live traffic, and of copies. They are kept exactly, not by chance."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from dragoman.emulator.azureml.arm import ArmError

_MOST_MIRRORED: Final = 50


def percentages(told: object) -> dict[str, int]:
    """Return percentages by deployment, without those of 0.

    Raises:
        ArmError: if they are none.
    """
    parts = told if isinstance(told, dict) else {}
    if not all(isinstance(part, int) for part in parts.values()):
        raise ArmError(400, "ValidationError", "Traffic is whole percents by deployment.")
    return {str(name): part for name, part in parts.items() if part}


def check_traffic(traffic: Mapping[str, int], deployments: set[str]) -> None:
    """Check live traffic.

    Raises:
        ArmError: if its sum is neither 0 nor 100, or it goes where nothing is.
    """
    if unknown := sorted(set(traffic) - deployments):
        raise ArmError(400, "UserError", f"Traffic is given to '{unknown[0]}', which is no deployment of the endpoint.")
    if sum(traffic.values()) not in (0, 100) or min(traffic.values(), default=0) < 0:
        raise ArmError(400, "UserError", f"The sum of traffic must be 0 or 100 percent; it is {sum(traffic.values())}.")


def check_mirror(mirror: Mapping[str, int], traffic: Mapping[str, int], deployments: set[str]) -> None:
    """Check mirrored traffic.

    Raises:
        ArmError: if it goes to more than one deployment, to one that has live traffic, or is more than half.
    """
    if unknown := sorted(set(mirror) - deployments):
        raise ArmError(400, "UserError", f"Traffic is mirrored to '{unknown[0]}', which is no deployment.")
    if len(mirror) > 1:
        raise ArmError(400, "UserError", "Traffic can be mirrored to one deployment only.")
    for name, part in mirror.items():
        if not 0 < part <= _MOST_MIRRORED:
            raise ArmError(
                400, "UserError", f"At most {_MOST_MIRRORED} percent of traffic can be mirrored, not {part}."
            )
        if traffic.get(name):
            raise ArmError(400, "UserError", f"'{name}' gets live traffic, and so none can be mirrored to it.")


class Split:
    """Deals requests out: after every hundred each deployment has had its percentage (smooth weighted round robin)."""

    def __init__(self) -> None:
        self._credit: defaultdict[str, int] = defaultdict(int)

    def next(self, parts: Mapping[str, int]) -> str | None:
        """Return who gets this request; ``None`` if nobody has a part, or the part that nobody has."""
        rest = 100 - sum(parts.values())
        shares = {**parts, **({"": rest} if rest > 0 else {})}
        for gone in set(self._credit) - set(shares):
            del self._credit[gone]
        for name, share in shares.items():
            self._credit[name] += share
        chosen = max(shares, key=lambda name: self._credit[name])
        self._credit[chosen] -= 100
        return chosen or None
