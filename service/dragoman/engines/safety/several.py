"""Guards one behind the other: what one of them suspects is suspect."""

from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.engines.ports import Guard, close


@dataclass(frozen=True, slots=True)
class Guards:
    """A ``Guard`` of several. If one of them cannot tell, nothing passes."""

    guards: tuple[Guard, ...]

    @property
    def name(self) -> str:
        """Their names."""
        return "+".join(guard.name for guard in self.guards)

    def close(self) -> None:
        """Close them."""
        for guard in self.guards:
            close(guard)

    async def attacks(self, texts: Sequence[str]) -> Sequence[bool]:
        """Return which texts any of them suspects; what one has found the next need not judge."""
        found = [False] * len(texts)
        for guard in self.guards:
            open_ = [number for number, is_attack in enumerate(found) if not is_attack]
            judged = await guard.attacks([texts[number] for number in open_]) if open_ else ()
            for number, is_attack in zip(open_, judged, strict=True):
                found[number] = is_attack
        return found

    async def harms(self, texts: Sequence[str]) -> Sequence[str | None]:
        """Return the harm that the first of them finds in each text."""
        found: list[str | None] = [None] * len(texts)
        for guard in self.guards:
            judged = await guard.harms(texts)
            found = [before or harm for before, harm in zip(found, judged, strict=True)]
        return found
