"""What a turn is asked to do: read from the URL, and from the ``speech.context`` that opens it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dragoman.domain.errors import LanguageLimitError, MessageInvalidError, SettingsError
from dragoman.domain.language import LidMode, Locale, TargetLanguage, parse_candidates, parse_locale, parse_target
from dragoman.domain.recognition import DEFAULT_RECOGNITION, RecognitionOptions, choose_recognition

_DEFAULT_SILENCE_MS: Final = 5_000


class Mode(StrEnum):
    """How speech is cut, and when a turn is over: after one phrase, or when the audio is."""

    INTERACTIVE = "interactive"
    CONVERSATION = "conversation"
    DICTATION = "dictation"


@dataclass(frozen=True, slots=True)
class Operation:
    """One turn.

    ``candidates`` are the languages to choose from, in the way of ``lid``; a single one without ``lid`` is fixed.
    ``only_language``: the language is all that is asked for.
    """

    mode: Mode
    candidates: tuple[Locale, ...]
    lid: LidMode | None = None
    only_language: bool = False
    targets: tuple[TargetLanguage, ...] = ()
    detailed: bool = False
    word_times: bool = False
    word_confidences: bool = False
    recognition: RecognitionOptions = DEFAULT_RECOGNITION
    initial_silence_ms: int = _DEFAULT_SILENCE_MS


def read_operation(path: str, query: Mapping[str, str], body: str | bytes) -> Operation:
    """Return what a turn is asked to do.

    Raises:
        MessageInvalidError: if the context is no JSON object, or asks for what this service does not do.
        LocaleError, LanguageLimitError: if Azure would refuse its languages.
    """
    asked = {name.lower(): value for name, value in query.items()}
    context = _Section.parse(body)
    detection, identification = context.section("phraseDetection"), context.section("languageId")
    output = context.section("phraseOutput")
    lid = _lid(identification)
    mode = _mode(path, detection)
    if lid is LidMode.CONTINUOUS and mode is Mode.INTERACTIVE:
        raise MessageInvalidError("Continuous language identification needs continuous recognition.")
    if lid:
        candidates = _candidates(identification.texts("languages"), lid)
    else:
        candidates = (parse_locale(detection.text("language") or asked.get("language") or "en-US"),)
    options = {each.lower() for each in output.section("detailed").texts("options")}
    return Operation(
        mode=mode,
        candidates=candidates,
        lid=lid,
        only_language=detection.text("mode").lower() == "none",
        targets=_targets(context),
        detailed="detailed" in (output.text("format").lower(), asked.get("format", "").lower()),
        word_times="wordtimings" in options or asked.get("wordleveltimestamps") == "true",
        word_confidences="wordconfidence" in options or asked.get("wordlevelconfidence") == "true",
        recognition=_recognition(mode, context),
        initial_silence_ms=detection.number("initialSilenceTimeout")
        or _number(asked.get("initialsilencetimeoutms", ""))
        or _DEFAULT_SILENCE_MS,
    )


def read_targets(body: str | bytes) -> tuple[TargetLanguage, ...] | None:
    """Return the targets that an ``event`` message names from now on; ``None`` if it is about something else."""
    event = _Section.parse(body)
    if event.text("name").lower() != "updatelanguage":
        return None
    return tuple(map(parse_target, event.texts("to")))


class _Section:
    """A JSON object whose names and values are compared without regard to case, as the SDKs need it."""

    def __init__(self, content: object) -> None:
        self._content = (
            {str(name).lower(): value for name, value in content.items()} if isinstance(content, dict) else {}
        )

    @classmethod
    def parse(cls, body: str | bytes) -> "_Section":
        try:
            content = json.loads(body or "{}")
        except ValueError as error:
            raise MessageInvalidError("The body of this message must be JSON.") from error
        if not isinstance(content, dict):
            raise MessageInvalidError("The body of this message must be a JSON object.")
        return cls(content)

    @property
    def names(self) -> set[str]:
        return set(self._content)

    def section(self, name: str) -> "_Section":
        return _Section(self._content.get(name.lower()))

    def sections(self, name: str) -> list["_Section"]:
        found = self._content.get(name.lower())
        return [_Section(each) for each in found] if isinstance(found, list) else []

    def text(self, name: str) -> str:
        found = self._content.get(name.lower())
        return str(found) if found is not None and not isinstance(found, dict | list) else ""

    def texts(self, name: str) -> list[str]:
        found = self._content.get(name.lower())
        return [str(each) for each in found] if isinstance(found, list) else []

    def number(self, name: str) -> int | None:
        return _number(self.text(name))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _mode(path: str, detection: _Section) -> Mode:
    """Return the mode that the context names, or the path of the first version."""
    for text in (detection.text("mode").lower(), *path.lower().split("/")):
        if text in set(Mode):
            return Mode(text)
    return Mode.CONVERSATION


def _lid(identification: _Section) -> LidMode | None:
    if not identification.texts("languages"):
        return None
    match identification.text("mode").lower():
        case "detectataudiostart":
            return LidMode.AT_START
        case "detectcontinuous":
            return LidMode.CONTINUOUS
        case other:
            raise MessageInvalidError(f"'{other}' is no mode of language identification.")


def _candidates(languages: list[str], lid: LidMode) -> tuple[Locale, ...]:
    if "und" in {each.lower() for each in languages}:
        raise MessageInvalidError("Identification among all languages is not emulated; name the candidates.")
    if len(languages) != len(set(languages)):
        raise LanguageLimitError("A language is named twice.")
    return parse_candidates(languages, lid)


def _targets(context: _Section) -> tuple[TargetLanguage, ...]:
    translation = context.section("translation")
    if context.section("synthesis").names:
        raise MessageInvalidError("Speech synthesis is not emulated; leave out the voice.")
    return tuple(dict.fromkeys(map(parse_target, translation.texts("targetLanguages"))))


def _recognition(mode: Mode, context: _Section) -> RecognitionOptions:
    detection = context.section("phraseDetection")
    groups = context.section("dgi").sections("Groups")
    try:
        return choose_recognition(
            phrases=tuple(item.text("Text") for group in groups for item in group.sections("Items")),
            speakers=bool(detection.section("speakerDiarization").names),
            dictation=mode is Mode.DICTATION,
            end_silence_ms=detection.section(mode).section("segmentation").number("segmentationSilenceTimeoutMs"),
        )
    except SettingsError as error:
        raise MessageInvalidError(str(error)) from error
