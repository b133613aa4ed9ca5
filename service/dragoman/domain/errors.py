"""Errors a caller can act on. Codes are public and never change; messages are for people and say what to do."""

from typing import ClassVar


class DragomanError(Exception):
    """Base of every error that Dragoman raises on purpose.

    ``code`` is stable and machine-readable; ``retryable`` says whether the same call may succeed later.
    """

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False


class AudioUnreadableError(DragomanError):
    """The bytes are not audio that we decode."""

    code = "audio_unreadable"


class AudioEmptyError(DragomanError):
    """The input holds no audio samples."""

    code = "audio_empty"


class AudioLimitError(DragomanError):
    """The audio asks for more rate, channels, memory or time than we grant."""

    code = "audio_limit"


class AudioNotFoundError(DragomanError):
    """The named input does not exist or may not be read."""

    code = "audio_not_found"


class LocaleError(DragomanError):
    """A language tag is not one that can be worked with."""

    code = "locale_invalid"


class LanguageLimitError(DragomanError):
    """A set of candidates breaks the limits of language identification."""

    code = "language_limit"


class LanguageUnsupportedError(DragomanError):
    """An engine does not know a language that was asked of it."""

    code = "language_unsupported"


class ModelMissingError(DragomanError):
    """A model is not on this machine and could not be fetched."""

    code = "model_missing"


class ModelInvalidError(DragomanError):
    """A model folder is there, but it cannot do what is asked of it."""

    code = "model_invalid"


class DependencyMissingError(DragomanError):
    """A package of an optional extra is needed and not installed."""

    code = "dependency_missing"


class SettingsError(DragomanError):
    """A setting has a value that cannot be used."""

    code = "settings_invalid"


class EngineFailedError(DragomanError):
    """An engine stopped working in the middle of its work."""

    code = "engine_failed"
    retryable = True


class TranslationFailedError(DragomanError):
    """A translator could not translate a text; the session goes on."""

    code = "translation_failed"
    retryable = True
