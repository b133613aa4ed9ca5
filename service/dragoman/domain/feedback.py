"""What people say of a session's texts: how good one is, and how it should read."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from dragoman.domain.language import parse_locale, parse_target

Part = Literal["transcript", "translation", "insight"]
"""What is spoken of: what was said, what it means in a target language, or what follows from all of it."""

MOST_TEXT: Final = 10_000
MOST_COMMENT: Final = 2_000
NO_ZERO: Final = r"^[^\x00]*$"
"""PostgreSQL's texts cannot hold it."""


class _Feedback(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    part: Part
    target: str | None = Field(default=None, max_length=64)
    utterance_id: str | None = Field(default=None, min_length=1, max_length=64, pattern=NO_ZERO)
    comment: str | None = Field(default=None, min_length=1, max_length=MOST_COMMENT, pattern=NO_ZERO)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.part == "translation") != (self.target is not None):
            raise ValueError("name the target of a translation, and of nothing else")
        if self.target is not None and self.target != parse_target(self.target):
            raise ValueError(f"write the target as the session does: '{parse_target(self.target)}'")
        if self.part == "insight" and self.utterance_id is not None:
            raise ValueError("an insight is about the whole session; leave utterance_id out")
        return self


def _whole(value: object) -> object:
    """Return 5.0 as 5: to JSON they are one number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Rating(_Feedback):
    """How good something is: 5 excellent, 4 good, 3 fair, 2 poor, 1 bad. Without an utterance, all of it.

    Source: ITU-T P.800 (1996), annex B, the five points of absolute category rating.
    """

    kind: Literal["rating"] = "rating"
    rating: Annotated[int, Field(ge=1, le=5, strict=True), BeforeValidator(_whole)]


class Correction(_Feedback):
    """How something should read. An empty text says that nobody said anything; of an insight it is the summary.

    ``locale`` is the language that was spoken, where it was taken for another.
    """

    kind: Literal["correction"] = "correction"
    text: Annotated[str, Field(max_length=MOST_TEXT, pattern=NO_ZERO)]
    locale: str | None = Field(default=None, max_length=64)

    @model_validator(mode="after")
    def _is_of_one_utterance(self) -> Self:
        if self.part != "insight" and self.utterance_id is None:
            raise ValueError("name the utterance that is corrected")
        if self.locale is not None and self.part != "transcript":
            raise ValueError("only a transcript's language can be corrected")
        if self.locale is not None and self.locale != parse_locale(self.locale):
            raise ValueError(f"write the language as sessions do: '{parse_locale(self.locale)}'")
        if not self.text and self.part != "transcript":
            raise ValueError("only a transcript's text can be empty: where nobody said anything")
        return self


Feedback = Annotated[Rating | Correction, Field(discriminator="kind")]
"""What may be said. The latest correction of a text holds; ratings stand beside each other."""

FEEDBACK: Final[TypeAdapter[Rating | Correction]] = TypeAdapter(Feedback)
