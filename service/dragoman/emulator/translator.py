"""The Translator door: ``/translate`` and ``/languages`` of the version that the SDK asks for."""

import html
import re
from typing import Annotated, Final, Literal

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from dragoman.domain.errors import LocaleError, TranslationFailedError
from dragoman.domain.language import (
    Locale,
    TargetLanguage,
    base_language,
    default_locale,
    is_same_language,
    parse_target,
)
from dragoman.emulator.doors import Refused, checked
from dragoman.engines.ports import Translator

VERSION: Final = "2026-06-06"
PREFIXES: Final = ("", f"/translator/text/v{VERSION}")

_MOST_TEXTS: Final = 1_000
_MOST_CHARACTERS: Final = 50_000
_KEPT: Final = re.compile(r'(<span class="notranslate">.*?</span>|<[^>]*>)', re.DOTALL)
_NAMES: Final = {
    "ar": ("Arabic", "العربية"),
    "de": ("German", "Deutsch"),
    "en": ("English", "English"),
    "es": ("Spanish", "Español"),
    "fr": ("French", "Français"),
    "it": ("Italian", "Italiano"),
    "ja": ("Japanese", "日本語"),
    "nl": ("Dutch", "Nederlands"),
    "pl": ("Polish", "Polski"),
    "pt": ("Portuguese", "Português"),
    "ru": ("Russian", "Русский"),
    "tr": ("Turkish", "Türkçe"),
    "zh": ("Chinese", "中文"),
}
"""Of common languages; others are called by their code."""

_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class _Target(_Asked):
    language: str


class _Input(_Asked):
    text: str
    language: str | None = None
    text_type: Literal["Plain", "Html", "plain", "html"] = "Plain"
    targets: Annotated[tuple[_Target, ...], Field(min_length=1)]


class _Body(_Asked):
    inputs: Annotated[tuple[_Input, ...], Field(min_length=1)]


def add_translator(app: FastAPI) -> None:
    """Add the door to an application that has ``app.state.engines``."""

    async def languages(version: Annotated[str, Query(alias="api-version")]) -> JSONResponse:
        """Return the languages that the engine knows; like Azure without credentials."""
        _check_version(version)
        translator: Translator | None = app.state.engines.translator
        known = {base_language(target) for target in translator.targets} | {"en"} if translator else set()
        return JSONResponse({"translation": {code: _described(code) for code in sorted(known)}})

    async def translate(body: _Body, version: Annotated[str, Query(alias="api-version")]) -> JSONResponse:
        """Translate every input into each of its targets."""
        _check_version(version)
        characters = sum(len(each.text) * len(each.targets) for each in body.inputs)
        if len(body.inputs) > _MOST_TEXTS:
            raise Refused(400, 400000, f"A request may have {_MOST_TEXTS} inputs.")
        if characters > _MOST_CHARACTERS:
            raise Refused(400, 400077, f"A request may have {_MOST_CHARACTERS} characters, all targets counted.")
        value: list[JsonValue] = [await _translated(app.state.engines.translator, each) for each in body.inputs]
        return JSONResponse({"value": value}, headers={"x-metered-usage": str(characters), "x-mt-system": "Dragoman"})

    for prefix in PREFIXES:
        app.add_api_route(f"{prefix}/languages", languages, methods=["GET"])
        app.add_api_route(f"{prefix}/translate", translate, methods=["POST"], dependencies=[checked("translator")])


async def _translated(translator: Translator | None, asked: _Input) -> dict[str, JsonValue]:
    if asked.language is None:
        raise Refused(400, 400035, "The emulator does not detect the language of texts; name it.")
    source = _source(asked.language)
    made: list[JsonValue] = []
    for wanted in asked.targets:
        target = _target(wanted.language)
        text = await _text(translator, asked, source, target)
        made.append({"language": wanted.language, "text": text, "sourceCharacters": len(asked.text)})
    return {"translations": made}


async def _text(translator: Translator | None, asked: _Input, source: Locale, target: TargetLanguage) -> str:
    if asked.text_type.lower() == "plain":
        return await _once(translator, asked.text, source, target)
    parts = []
    for part in _KEPT.split(asked.text):
        if not part.strip() or part.startswith("<"):
            parts.append(part)
            continue
        before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
        parts.append(before + html.escape(await _once(translator, html.unescape(part.strip()), source, target)) + after)
    return "".join(parts)


async def _once(translator: Translator | None, text: str, source: Locale, target: TargetLanguage) -> str:
    if is_same_language(source, target):
        return text
    if translator is None or not translator.supports(source, target):
        raise Refused(400, 400036, "The target language is not valid.")
    try:
        outcome = (await translator.translate(text, source, [target]))[target]
    except TranslationFailedError as error:
        outcome = error
    if isinstance(outcome, TranslationFailedError):
        raise Refused(500, 500000, "An unexpected error occurred.")
    return outcome


def _source(code: str) -> Locale:
    try:
        return default_locale(code)
    except LocaleError as error:
        raise Refused(400, 400035, "The source language is not valid.") from error


def _target(code: str) -> TargetLanguage:
    try:
        return parse_target(code)
    except LocaleError as error:
        raise Refused(400, 400036, "The target language is not valid.") from error


def _described(code: str) -> dict[str, JsonValue]:
    name, native = _NAMES.get(code, (code, code))
    return {"name": name, "nativeName": native, "dir": "rtl" if code in _RIGHT_TO_LEFT else "ltr", "models": []}


def _check_version(version: str) -> None:
    if version != VERSION:
        raise Refused(400, 400021, f"The API version is not valid; the emulator speaks {VERSION}.")
