"""A conversation as the steps read it."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from dragoman.domain.insight import LanguageShare
from dragoman.domain.language import base_language


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Value):
    """One utterance; times in milliseconds, translations by target language."""

    id: str
    text: str
    locale: str
    start_ms: Annotated[int, Field(ge=0)] = 0
    end_ms: Annotated[int, Field(ge=0)] = 0
    speaker: str | None = None
    translations: Mapping[str, str] = {}

    def in_language(self, language: str) -> str:
        """Return what was said in a language: translated, if there is a translation, else as it was said."""
        if base_language(self.locale) == base_language(language):
            return self.text
        by_base = {base_language(target): text for target, text in self.translations.items()}
        return self.translations.get(language) or by_base.get(base_language(language)) or self.text


class Conversation(_Value):
    """Utterances in the order of time; their ids are unique."""

    lines: tuple[Line, ...]

    def languages(self) -> tuple[LanguageShare, ...]:
        """Return how much of the speech was in each locale, most first."""
        spoken: Counter[str] = Counter()
        for line in self.lines:
            spoken[line.locale] += max(1, line.end_ms - line.start_ms)
        total = spoken.total()
        return tuple(LanguageShare(locale=locale, share=round(ms / total, 3)) for locale, ms in spoken.most_common())

    def as_data(self, language: str) -> list[JsonValue]:
        """Return the utterances as a model is shown them, for a reader of ``language``."""
        return [
            {
                "id": line.id,
                "at": f"{line.start_ms // 60_000:02}:{line.start_ms // 1_000 % 60:02}",
                "speaker": line.speaker,
                "locale": line.locale,
                "text": line.text,
                "translation": None if (read := line.in_language(language)) == line.text else read,
            }
            for line in self.lines
        ]

    def without(self, ids: frozenset[str]) -> "Conversation":
        """Return the conversation but for some utterances."""
        return Conversation(lines=tuple(line for line in self.lines if line.id not in ids))
