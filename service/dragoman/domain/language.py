"""Locales (BCP-47), and how many of them language identification may choose from."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NewType, overload

from langcodes import Language, standardize_tag
from langcodes.tag_parser import LanguageTagError

from dragoman.domain.errors import LanguageLimitError, LocaleError, SettingsError

Locale = NewType("Locale", str)
"""A canonical tag with a region, ``"pt-BR"``: what is spoken."""

TargetLanguage = NewType("TargetLanguage", str)
"""A canonical tag, with or without script or region, ``"pt"`` or ``"zh-Hans"``: what is translated into."""


class LidMode(StrEnum):
    """How often the spoken language is decided."""

    AT_START = "at-start"
    CONTINUOUS = "continuous"


CANDIDATE_LIMITS: Final = {LidMode.AT_START: 4, LidMode.CONTINUOUS: 10}
"""Azure's limits, kept for every engine so that what works offline works in the cloud.

Source: learn.microsoft.com, "Implement language identification", Speech service, read 2026-11.
"""


def parse_locale(text: str) -> Locale:
    """Return the canonical locale of ``text``, which must name a region.

    Raises:
        LocaleError: if it is no valid tag or has no region; the message proposes one.
    """
    language = _parse(text)
    if language.territory is None:
        raise LocaleError(
            f"'{text}' names a language without a region; write '{default_locale(language.to_tag())}', for example."
        )
    return Locale(language.to_tag())


def parse_target(text: str) -> TargetLanguage:
    """Return the canonical tag of a translation target; a region is allowed and not needed.

    Raises:
        LocaleError: if it is no valid tag.
    """
    return TargetLanguage(_parse(text).to_tag())


def default_locale(tag: str) -> Locale:
    """Return ``tag`` with the region where most of its speakers live: ``en`` → ``en-US``, ``de`` → ``de-DE``.

    Source: CLDR likely subtags.
    """
    language = _parse(tag)
    return Locale(
        Language.make(language.language, script=language.script, territory=language.maximize().territory).to_tag()
    )


def is_same_language(locale: Locale, target: TargetLanguage) -> bool:
    """Return whether a text in ``locale`` needs no translation into ``target``: same language, same usual script."""
    ours, theirs = Language.get(locale).maximize(), Language.get(target).maximize()
    return (ours.language, ours.script) == (theirs.language, theirs.script)


def base_language(tag: str) -> str:
    """Return the language subtag: ``pt-BR`` → ``pt``, ``zh-Hans`` → ``zh``."""
    return tag.partition("-")[0]


def parse_lid(text: str) -> LidMode:
    """Return the mode that is called ``text``.

    Raises:
        SettingsError: if none is.
    """
    try:
        return LidMode(text)
    except ValueError as error:
        raise SettingsError(f"'{text}' is no way to identify languages; use {' or '.join(LidMode)}.") from error


@overload
def split_tags(tags: None) -> None: ...
@overload
def split_tags(tags: Iterable[str] | str) -> tuple[str, ...]: ...
def split_tags(tags: Iterable[str] | str | None) -> tuple[str, ...] | None:
    """Return the tags of a list, which may be written ``"en-US, de-DE"``; ``None`` stays ``None``."""
    if tags is None:
        return None
    return tuple(filter(None, (tag.strip() for tag in (tags.split(",") if isinstance(tags, str) else tags))))


def parse_candidates(tags: Iterable[str], mode: LidMode) -> tuple[Locale, ...]:
    """Return canonical candidates in the order given.

    Raises:
        LocaleError: if a tag is invalid or lacks its region.
        LanguageLimitError: if there are none, too many for ``mode``, or two of one base language.
    """
    candidates = tuple(dict.fromkeys(parse_locale(tag) for tag in tags))
    check_candidates(candidates, mode)
    return candidates


def check_candidates(candidates: Sequence[Locale], mode: LidMode) -> None:
    """Refuse a set of candidates that Azure would refuse.

    Raises:
        LanguageLimitError: as ``parse_candidates``.
    """
    if not candidates:
        raise LanguageLimitError("No language is left to choose from; name at least one, for example 'en-US'.")
    limit = CANDIDATE_LIMITS[mode]
    if len(candidates) > limit:
        cure = (
            f"name at most {limit}, or use continuous identification (up to {CANDIDATE_LIMITS[LidMode.CONTINUOUS]})"
            if mode is LidMode.AT_START and len(candidates) <= CANDIDATE_LIMITS[LidMode.CONTINUOUS]
            else f"name at most {limit}"
        )
        raise LanguageLimitError(f"{len(candidates)} languages are too many for {mode} identification; {cure}.")
    by_base: dict[str, Locale] = {}
    for locale in candidates:
        if (first := by_base.setdefault(base_language(locale), locale)) != locale:
            raise LanguageLimitError(
                f"'{first}' and '{locale}' share the base language '{base_language(locale)}', and identification "
                "cannot tell them apart; keep one of them."
            )


def _parse(text: str) -> Language:
    try:
        language = Language.get(standardize_tag(text.strip()))
    except LanguageTagError as error:
        raise LocaleError(f"'{text}' is not a language tag; write it like 'en-US' or 'zh-CN'.") from error
    # What looks like an extended language is a region of three letters: "en-USA".
    if language.extlangs or not language.is_valid():
        raise LocaleError(f"'{text}' is not a known language tag; write it like 'en-US' or 'zh-CN'.")
    return language
