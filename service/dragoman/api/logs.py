"""Log lines of a server: where something failed and with what kind of error, never with which words.

The text of an exception may be what somebody said, a name of a file or a key, and libraries write what they carry when
they are asked for more. So no exception's text is written, whoever logs it, and of libraries nothing below a warning.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Final, Literal

import structlog

from dragoman.domain.errors import DragomanError

Level = Literal["debug", "info", "warning", "error"]

_OURS: Final = "dragoman"
_LOG: Final = logging.getLogger(_OURS)


def log_to_stderr(level: Level) -> None:
    """Write our log lines from ``level`` on to the standard error output, and warnings and errors of libraries."""
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Wordless("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.split(".")[0] == _OURS)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _LOG.setLevel(number)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    threading.excepthook = _thread_died
    sys.unraisablehook = _unraisable


class Wordless(logging.Formatter):
    """Writes exceptions as their kinds and places."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        arguments = record.args
        if isinstance(arguments, tuple):
            arguments = tuple(_kind(each) if isinstance(each, BaseException) else each for each in arguments)
        plain = logging.makeLogRecord({**record.__dict__, "args": arguments, "exc_text": None})
        # What follows the first line of asyncio's messages shows tasks, and in them exceptions and their text.
        message = plain.getMessage().partition("\n")[0] if record.name == "asyncio" else plain.getMessage()
        plain.msg, plain.args = message, None
        return super().format(plain)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """Return an exception and its causes without their texts."""
        error = ei[1] if isinstance(ei, tuple) else None
        return "\n".join(_outlined(error, set())) if isinstance(error, BaseException) else ""


def _outlined(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    for earlier in (error.__cause__, None if error.__suppress_context__ else error.__context__):
        if earlier is not None and id(earlier) not in seen:
            yield from _outlined(earlier, seen)
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
    yield _kind(error)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            if id(each) not in seen:
                yield from _outlined(each, seen)


def _kind(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{name} ({error.code})" if isinstance(error, DragomanError) else name


def _thread_died(died: threading.ExceptHookArgs) -> None:
    if died.exc_value is not None:
        _LOG.error("a thread died", exc_info=died.exc_value)


def _unraisable(left: "sys.UnraisableHookArgs") -> None:
    if left.exc_value is not None:
        _LOG.error("an error had nowhere to go", exc_info=left.exc_value)
