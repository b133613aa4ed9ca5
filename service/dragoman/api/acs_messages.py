"""What Azure Communication Services says when it streams a call's audio: text in, frozen models out.

Source: learn.microsoft.com, "Audio streaming quickstart" and "Audio streaming overview", and the parsers and tests of
Microsoft's Call Automation SDKs; read 2026-11. Names come in camel case and in Pascal case there, so case is ignored.
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dragoman.api.problems import explained
from dragoman.domain.errors import MessageInvalidError
from dragoman.domain.messages import AudioFormat

LONGEST_MESSAGE: Final = 65_536
"""Characters; 20 ms of audio at 24 kHz are 1,280."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Metadata(_Part):
    """The first message: how the audio is encoded. A frame has ``length`` bytes."""

    encoding: Literal["pcm"]
    sample_rate_hz: Literal[16_000, 24_000] = Field(default=16_000, alias="samplerate")
    channels: Literal[1] = 1

    @field_validator("encoding", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def audio(self) -> AudioFormat:
        """Return the same in our words."""
        return AudioFormat(sample_rate_hz=self.sample_rate_hz)


class Audio(_Part):
    """Some samples, s16le, mono. ``participant`` is missing if the participants are mixed."""

    pcm: bytes = Field(default=b"", alias="data")
    at: datetime | None = Field(default=None, alias="timestamp")
    participant: str | None = Field(default=None, alias="participantrawid", max_length=500)

    @field_validator("pcm", mode="before")
    @classmethod
    def _decoded(cls, value: object) -> bytes:
        if not isinstance(value, str):
            raise ValueError("must be a text in base64")  # noqa: TRY004 - pydantic reports it with its place
        try:
            pcm = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError("is not base64") from None
        if len(pcm) % 2:
            raise ValueError("must hold whole 16-bit samples")
        return pcm

    @field_validator("at")
    @classmethod
    def _with_zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @field_validator("participant")
    @classmethod
    def _named(cls, value: str | None) -> str | None:
        return value or None


class Other(_Part):
    """Something that is not for us: a tone that was dialled, an order to stop playing, what comes to be said later."""


_KINDS: Final[dict[str, type[Metadata] | type[Audio]]] = {"audiometadata": Metadata, "audiodata": Audio}


def parse(text: str) -> Metadata | Audio | Other:
    """Return what a message says.

    Raises:
        MessageInvalidError: saying what is wrong with it, without quoting it.
    """
    if len(text) > LONGEST_MESSAGE:
        raise MessageInvalidError(f"A message may hold {LONGEST_MESSAGE} characters.")
    try:
        message = _lowered(json.loads(text))
    except (ValueError, RecursionError):
        raise MessageInvalidError("A message is no JSON.") from None
    if not isinstance(message, dict) or not isinstance(kind := message.get("kind"), str):
        raise MessageInvalidError("A message has no kind.")
    model = _KINDS.get(kind.lower())
    if model is None:
        return Other()
    try:
        return model.model_validate(message.get(kind.lower()))
    except ValidationError as error:
        raise MessageInvalidError(f"{kind} cannot be read: {explained(error)}") from None


def _lowered(value: object) -> object:
    """Return a message and its parts with the names of their fields in lower case."""
    if not isinstance(value, dict):
        return value
    return {str(name).lower(): _lowered(part) for name, part in value.items()}
