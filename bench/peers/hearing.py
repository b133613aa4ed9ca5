"""What a listener sees of one stream, whatever server it comes from: text that stays, and text that may change."""

from dataclasses import dataclass, field

from bench.peers.audio import Said


@dataclass(frozen=True, slots=True)
class Seen:
    """A state of the screen: ``at_s`` seconds after the first sample was spoken.

    ``committed`` is what the server calls final, ``shown`` all of it and what may still change.
    """

    at_s: float
    committed: str
    shown: str


@dataclass(slots=True)
class Hearing:
    """The states of one stream, in order, and what it took to bring them."""

    seen: list[Seen] = field(default_factory=list)
    languages: list[Said] = field(default_factory=list)
    messages: int = 0
    received_bytes: int = 0
    trouble: str | None = None

    def arrived(self, data: str | bytes) -> None:
        """Count a message."""
        self.messages += 1
        self.received_bytes += len(data)

    def speaks(self, at_s: float, language: str) -> None:
        """Note which language is said to be spoken, if that is new."""
        if not self.languages or language != self.languages[-1].language:
            self.languages.append(Said(at_s, language))

    def show(self, at_s: float, committed: str, tail: str) -> None:
        """Note what the screen says, if that is new."""
        shown = " ".join(f"{committed} {tail}".split())
        state = Seen(at_s, " ".join(committed.split()), shown)
        if not self.seen or (state.committed, state.shown) != (self.seen[-1].committed, self.seen[-1].shown):
            self.seen.append(state)
