"""Dragoman: audio in, one ordered stream of events out; Azure in the cloud, the same session offline.

The names below load at first use, so that importing a low floor never loads a high one.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dragoman.domain.errors import DragomanError as DragomanError
    from dragoman.domain.recognition import RecognitionOptions as RecognitionOptions
    from dragoman.runtime import Recording as Recording
    from dragoman.runtime import Runtime as Runtime
    from dragoman.runtime import Wishes as Wishes
    from dragoman.runtime import transcribe as transcribe
    from dragoman.runtime import transcribe_async as transcribe_async
    from dragoman.settings import Settings as Settings

__version__ = "0.1.0"

_HOMES = {
    "DragomanError": "dragoman.domain.errors",
    "RecognitionOptions": "dragoman.domain.recognition",
    "Recording": "dragoman.runtime",
    "Runtime": "dragoman.runtime",
    "Settings": "dragoman.settings",
    "Wishes": "dragoman.runtime",
    "transcribe": "dragoman.runtime",
    "transcribe_async": "dragoman.runtime",
}

__all__ = [
    "DragomanError",
    "RecognitionOptions",
    "Recording",
    "Runtime",
    "Settings",
    "Wishes",
    "__version__",
    "transcribe",
    "transcribe_async",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'dragoman' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
