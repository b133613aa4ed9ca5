"""Errors as the HTTP door puts them."""

from collections.abc import Sequence
from typing import Final, Protocol

from dragoman.domain.errors import DragomanError, QuotaError

_STATUS: Final = {
    "budget_exhausted": 402,
    "audio_gone": 410,
    "capacity": 429,
    "chat_failed": 502,
    "draining": 503,
    "dataset_invalid": 503,
    "engine_failed": 503,
    "engine_refused": 502,
    "erasure_unknown": 404,
    "feedback_full": 409,
    "feedback_unknown": 404,
    "held": 409,
    "job_conflict": 409,
    "job_unknown": 404,
    "key_refused": 401,
    "method_unknown": 405,
    "model_invalid": 503,
    "model_missing": 503,
    "origin_refused": 403,
    "quota_exceeded": 429,
    "route_unknown": 404,
    "session_elsewhere": 503,
    "session_erased": 410,
    "session_open": 409,
    "session_unknown": 404,
    "source_failed": 503,
    "spool_failed": 503,
    "spool_full": 507,
    "store_failed": 503,
    "subject_unknown": 404,
    "token_ended": 401,
    "token_keys_missing": 503,
}
_RETRY_AFTER_S: Final = {
    "capacity": 5,
    "draining": 1,
    "session_elsewhere": 1,
    "spool_full": 5,
    "store_failed": 5,
    "token_keys_missing": 5,
}

Problem = dict[str, dict[str, str | bool]]


class _Invalid(Protocol):
    def errors(self) -> Sequence[object]: ...


def problem(error: DragomanError) -> Problem:
    """Return the body that explains an error."""
    return {"error": {"code": error.code, "message": str(error), "retryable": error.retryable}}


def status_of(error: DragomanError) -> int:
    """Return the HTTP status of an error."""
    return status_of_code(error.code)


def status_of_code(code: str) -> int:
    """Return the HTTP status of errors with a code."""
    return _STATUS.get(code, 422)


def retry_after_s(error: DragomanError) -> int | None:
    """Return when to try again, if that is known."""
    return error.retry_after_s if isinstance(error, QuotaError) else retry_after_of(error.code)


def retry_after_of(code: str) -> int | None:
    """Return when to try again after errors with a code, if that is always the same."""
    return _RETRY_AFTER_S.get(code)


def headers_of(error: DragomanError) -> dict[str, str]:
    """Return the headers that go with an error."""
    seconds = retry_after_s(error)
    retry = {"Retry-After": str(seconds)} if seconds else {}
    return {**retry, **({"WWW-Authenticate": "Bearer"} if status_of(error) == 401 else {})}


def explained(invalid: _Invalid) -> str:
    """Return what is wrong with a request, field by field, without quoting it."""
    problems = []
    for each in invalid.errors():
        assert isinstance(each, dict)
        place = ".".join(str(part) for part in each["loc"]) or "message"
        problems.append(f"{place}: {each['msg']}")
    return "; ".join(problems[:5]) + "."
