"""What a card says, in an order and form that do not depend on how it is shown."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(_Value):
    """Rows below a head, as text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Section(_Value):
    """A part of a card: sentences, points, and a table."""

    title: str
    says: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None


class Card(_Value):
    """A note for people about a service; ``made_by`` names the version that wrote it."""

    title: str
    made_by: str
    sections: tuple[Section, ...]


def section(title: str, *says: str, points: Sequence[str] = (), table: Table | None = None) -> Section:
    """Return a section."""
    return Section(title=title, says=says, points=tuple(points), table=table)
