"""Which part of a text that still changes can be relied on."""

import re
from dataclasses import dataclass
from typing import Final

# Scripts that write without spaces are taken character by character, all others word by word.
_UNIT: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]\s*|[^\s\u0e00-\u0eff"
    r"\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+\s*"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text of which the first ``stable_len`` characters stay."""

    text: str
    stable_len: int


class Agreement:
    """Readings of one utterance: what two in a row agree on is stable (LocalAgreement-2, Liu et al. 2020).

    What is stable stays, whatever a later reading says of it. The last word never is: more sound may change it.
    """

    def __init__(self) -> None:
        self._before: list[str] = []
        self._stable: list[str] = []

    def read(self, text: str) -> Reading:
        """Return the next reading, made to begin with what is stable."""
        units = _UNIT.findall(text.strip())
        units = [*self._stable, *units[len(self._stable) :]]
        agreed = 0
        for unit, before in zip(units[:-1], self._before, strict=False):
            if unit.rstrip() != before.rstrip():
                break
            agreed += 1
        self._stable = units[: max(agreed, len(self._stable))]
        self._before = units
        return Reading("".join(units).rstrip(), len("".join(self._stable).rstrip()))
