"""The one place that reads settings: keyword arguments first, then ``DRAGOMAN_…`` environment variables."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from dragoman.domain.errors import SettingsError


class Settings(BaseSettings):
    """Every setting, with a default that works offline on any machine."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_", frozen=True, extra="forbid")

    model: str = "micro"
    """Whisper model: ``"micro"`` (bundled), a folder, or a hub name such as ``"small"``."""

    translation_models: Annotated[tuple[Path, ...] | None, NoDecode] = None
    """Folders of CTranslate2 translation models; in the environment separated like ``PATH``.

    If not set, the bundled micro model has the bundled translator beside it, and every other model none.
    """

    device: Literal["cpu", "cuda", "auto"] = "cpu"
    """Where models run."""

    compute_type: str = "int8"
    """CTranslate2 compute type."""

    threads: int = Field(default=0, ge=0, le=256)
    """CPU threads per decoding; 0 chooses by the size of the model."""

    beam_size: int = Field(default=1, ge=1, le=20)
    """Beams of transcription; 1 is greedy."""

    max_audio_hours: float = Field(default=4.0, gt=0, le=240)
    """Longest recording that is decoded; what comes after is not accepted, and a warning says so."""

    @field_validator("translation_models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value


def read_settings(**chosen: object) -> Settings:
    """Return the settings, where what was chosen (and is not ``None``) wins over the environment.

    Raises:
        SettingsError: naming each bad value and its variable.
    """
    try:
        return Settings.model_validate({name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        problems = "; ".join(
            f"{problem['loc'][0]} (DRAGOMAN_{str(problem['loc'][0]).upper()}): {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError(f"Bad setting: {problems}.") from error
