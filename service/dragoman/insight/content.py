"""What a prompt engineer writes: the templates of a step, and its examples. They lie in ``flows/``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import jinja2
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.domain.chat import Message
from dragoman.domain.errors import SettingsError

_HASH_CHARS: Final = 12


class Example(BaseModel):
    """What is given to a step, and the answer that one would wish for. ``locales`` are those that are spoken in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    locales: tuple[str, ...]
    given: Mapping[str, JsonValue]
    answer: JsonValue


@dataclass(frozen=True)
class Content:
    """The words of a step: templates for the system and the user, and examples."""

    system: jinja2.Template
    user: jinja2.Template
    examples: tuple[Example, ...]
    version: str
    """Changes with every word of it."""

    def messages(self, given: Mapping[str, JsonValue], locales: Sequence[str], shots: int) -> tuple[Message, ...]:
        """Return what a model is asked, after ``shots`` examples, those with the same languages first."""
        asked: list[Message] = [Message("system", self.system.render().strip())]
        for example in self.chosen(locales, shots):
            asked.append(Message("user", self._asked(example.given)))
            is_text = isinstance(example.answer, str)
            said = str(example.answer) if is_text else json.dumps(example.answer, ensure_ascii=False)
            asked.append(Message("assistant", said))
        return (*asked, Message("user", self._asked(given)))

    def chosen(self, locales: Sequence[str], shots: int) -> tuple[Example, ...]:
        """Return examples, those that share most languages first; among equals, in the order of the file."""
        spoken = set(locales)
        return tuple(sorted(self.examples, key=lambda example: -len(spoken & set(example.locales)))[:shots])

    def _asked(self, given: Mapping[str, JsonValue]) -> str:
        # One line of JSON cannot forge the lines that mark where it begins and ends.
        data = json.dumps(given, ensure_ascii=False)
        return self.user.render(data=data, **given).strip()


@cache
def read_content(folder: Path, step: str) -> Content:
    """Return the content of a step: ``{step}_system.jinja2``, ``{step}_user.jinja2``, ``{step}_examples.jsonl``.

    Raises:
        SettingsError: naming the file that is missing or wrong.
    """
    paths = [folder / f"{step}_{name}" for name in ("system.jinja2", "user.jinja2", "examples.jsonl")]
    try:
        system, user, examples = texts = [path.read_text(encoding="utf-8") for path in paths]
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - no HTML
        return Content(
            system=environment.from_string(system),
            user=environment.from_string(user),
            examples=tuple(Example.model_validate_json(line) for line in examples.splitlines() if line.strip()),
            version=sha256("\0".join(texts).encode()).hexdigest()[:_HASH_CHARS],
        )
    except (OSError, jinja2.TemplateError, ValidationError) as error:
        raise SettingsError(f"The step '{step}' cannot be read from '{folder}': {error}") from error
