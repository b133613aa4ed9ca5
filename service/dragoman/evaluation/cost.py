"""What a run would cost in the cloud: hours, characters and tokens by a dated list of prices."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dragoman.domain.errors import SettingsError
from dragoman.domain.language import Locale, TargetLanguage, is_same_language
from dragoman.pipeline.transcript import Transcript

DEFAULT_PRICES: Final = Path(__file__).parent / "prices.toml"


class Prices(BaseModel):
    """Prices in US dollars, on a day, as their ``source`` lists them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    source: str
    speech_usd_per_hour: float = Field(ge=0)
    language_identification_usd_per_hour: float = Field(ge=0)
    translation_usd_per_million_characters: float = Field(ge=0)
    prompt_usd_per_million_tokens: float = Field(ge=0)
    completion_usd_per_million_tokens: float = Field(ge=0)


@dataclass(frozen=True, slots=True)
class Usage:
    """What is paid for."""

    speech_s: float = 0.0
    identified_s: float = 0.0
    translated_characters: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def cost_usd(self, prices: Prices) -> float:
        """Return what it costs."""
        return (
            self.speech_s / 3600 * prices.speech_usd_per_hour
            + self.identified_s / 3600 * prices.language_identification_usd_per_hour
            + self.translated_characters / 1e6 * prices.translation_usd_per_million_characters
            + self.prompt_tokens / 1e6 * prices.prompt_usd_per_million_tokens
            + self.completion_tokens / 1e6 * prices.completion_usd_per_million_tokens
        )


def usage(transcripts: Sequence[Transcript], targets: Sequence[str]) -> Usage:
    """Return what transcripts used: all accepted audio, and every character that needed another language."""
    audio_s = sum(each.accepted_samples / each.sample_rate_hz for one in transcripts for each in one.ledgers)
    characters = sum(
        len(each.text)
        for one in transcripts
        for each in one.utterances
        for target in targets
        if not is_same_language(Locale(each.locale), TargetLanguage(target))
    )
    costs = [cost for one in transcripts if one.insight for cost in one.insight.costs]
    return Usage(
        speech_s=audio_s,
        identified_s=audio_s,
        translated_characters=characters,
        prompt_tokens=sum(each.prompt_tokens for each in costs),
        completion_tokens=sum(each.completion_tokens for each in costs),
    )


def read_prices(file: Path = DEFAULT_PRICES) -> Prices:
    """Return a list of prices.

    Raises:
        SettingsError: naming what is wrong with the file.
    """
    try:
        return Prices.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingsError(f"The prices in '{file}' cannot be read: {error}") from error
