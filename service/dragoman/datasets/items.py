"""What a dataset consists of: recordings with what is said in them, or cases for a step."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from dragoman.domain.errors import DatasetInvalidError
from dragoman.domain.validation import first_problem

NAME: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""What a dataset may be called."""

Milliseconds = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SpokenWord(_Value):
    """One word and when it is spoken."""

    text: str
    start_ms: Milliseconds
    end_ms: Milliseconds


class Reference(_Value):
    """What somebody says, when, and what it means in other languages: the truth that engines are compared with.

    ``speaker`` is a label within the dataset, never a name. ``split`` says what of it was seen in some training.
    """

    start_ms: Milliseconds
    end_ms: Milliseconds
    locale: str
    text: str
    speaker: str | None = None
    channel: Annotated[int, Field(ge=0)] = 0
    translations: Mapping[str, str] = {}
    split: str | None = None
    words: tuple[SpokenWord, ...] = ()


class LocaleSpan(_Value):
    """Where a language is spoken."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    locale: str
    channel: Annotated[int, Field(ge=0)] = 0


class Noise(_Value):
    """What else is heard; ``snr_db`` is ``None`` if nobody speaks while it is."""

    kind: str
    snr_db: float | None
    start_ms: Milliseconds
    end_ms: Milliseconds


class RecordingItem(_Value):
    """One recording. ``file`` is its path in the dataset, with ``/``, and its id.

    ``split`` is ``"train"``, ``"dev"``, ``"test"`` or whatever a dataset calls its parts. ``subject`` is whose voice
    it is, as a pseudonym: what must not be in two splits, and what is erased together. ``session`` and ``tenant`` are
    those of the server that it was recorded at: whoever erases the session there erases it here.
    """

    file: str
    sha256: Sha256
    duration_ms: Milliseconds
    title: str | None = None
    tags: tuple[str, ...] = ()
    sample_rate_hz: int | None = None
    channels: Annotated[int, Field(ge=1)] = 1
    license: str | None = None
    source: str | None = None
    seed: int | None = None
    command: str | None = None
    held_out: tuple[str, ...] = ()
    noise: Noise | None = None
    band: str | None = None
    split: str | None = None
    subject: str | None = None
    session: str | None = None
    tenant: str | None = None
    spans: tuple[LocaleSpan, ...] = ()
    utterances: tuple[Reference, ...] = ()

    @property
    def id(self) -> str:
        """What it is called."""
        return self.file

    @property
    def locales(self) -> tuple[str, ...]:
        """Languages that are spoken in it, each once, in the order in which they are first."""
        return tuple(dict.fromkeys(said.locale for said in self.utterances))


class CaseItem(_Value):
    """One case for a step: what it is given, and what is expected of it, under the names of its flow's inputs."""

    id: str
    given: Mapping[str, JsonValue]
    split: str | None = None


class Erasing(_Value):
    """One time that items were erased: ``erasure_id`` names it in the audit trail."""

    erased_ms: Milliseconds
    reason: str
    items: Annotated[int, Field(ge=1)]
    erasure_id: str | None = None


class Erased(_Value):
    """What is left of a version of which items were erased: ``left`` is the version that its content is now.

    ``items`` is how many are gone, ``erasures`` when and why. Nothing says what was in them.
    """

    version: str
    left: str
    items: Annotated[int, Field(ge=1)]
    erasures: tuple[Erasing, ...]


class Card(_Value):
    """What one must know of a dataset before using it. ``consent`` says by what right voices are in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(pattern=NAME)]
    schema_name: Annotated[Literal["recordings/1", "cases/1"], Field(alias="schema")] = "recordings/1"
    title: str = ""
    license: str | None = None
    consent: str | None = None
    provenance: str | None = None
    parent: str | None = None
    """Version that this one was made from."""
    change: str | None = None
    """What was done to that one."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What nobody says, and must be said before others may use it."""
        said = {"license": self.license, "consent": self.consent, "provenance": self.provenance}
        # Cases are texts: nobody's voice is in them.
        return tuple(
            field
            for field, text in said.items()
            if not (text or "").strip() and (field, self.schema_name) != ("consent", "cases/1")
        )


def make_card(fields: Mapping[str, object]) -> Card:
    """Return a card with these fields.

    Raises:
        DatasetInvalidError: saying what is wrong with them.
    """
    try:
        return Card.model_validate(dict(fields))
    except ValidationError as error:
        if error.errors()[0]["loc"] == ("name",):
            raise DatasetInvalidError(
                f"'{fields.get('name')}' is no name of a dataset: lower case, digits, '.', '_' and '-', at most 64."
            ) from error
        raise DatasetInvalidError(f"The card is wrong: {first_problem(error)}") from error
