"""How speech is to be recognised, beyond its languages."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dragoman.domain.errors import SettingsError
from dragoman.domain.validation import first_problem


class RecognitionOptions(BaseModel):
    """How speech is to be recognised; an engine that cannot do something says so in a notice.

    ``phrases`` are words to expect, names above all. ``speakers`` asks who says what. In ``dictation`` punctuation is
    spoken. An utterance ends after ``end_silence_ms`` without speech (the engine's own rule, if not given).

    The limits are Azure's. Source: learn.microsoft.com, "Improve recognition accuracy with phrase list" and "How to
    recognize speech", read 2026-11.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrases: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(default=(), max_length=500)
    speakers: bool = False
    dictation: bool = False
    end_silence_ms: int | None = Field(default=None, ge=100, le=5_000)


DEFAULT_RECOGNITION: Final = RecognitionOptions()
"""Nothing special is asked for."""


def choose_recognition(
    phrases: Sequence[str] = (), speakers: bool = False, dictation: bool = False, end_silence_ms: int | None = None
) -> RecognitionOptions:
    """Return options of recognition.

    Raises:
        SettingsError: naming what is beyond a limit.
    """
    try:
        return RecognitionOptions(
            phrases=tuple(phrases), speakers=speakers, dictation=dictation, end_silence_ms=end_silence_ms
        )
    except ValidationError as error:
        raise SettingsError(f"{first_problem(error)}.") from error
