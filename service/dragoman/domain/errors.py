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


def engine_failure(error: Exception) -> DragomanError:
    """Return an error as one of ours; of one that nobody expected, its kind is all that may be told."""
    if isinstance(error, DragomanError):
        return error
    failure = EngineFailedError(f"The engine failed unexpectedly ({type(error).__name__}).")
    failure.__cause__ = error
    return failure


class EngineSilentError(EngineFailedError):
    """An engine takes speech and says nothing about it."""

    code = "engine_silent"


class EngineRefusedError(DragomanError):
    """An engine does not let us in, or does not do what it is asked for."""

    code = "engine_refused"


class TranslationFailedError(DragomanError):
    """A translator could not translate a text; the session goes on."""

    code = "translation_failed"
    retryable = True


class SpoolFullError(DragomanError):
    """There is no room for more audio; what was durable stays."""

    code = "spool_full"
    retryable = True


class SpoolFailedError(DragomanError):
    """Audio cannot be kept or read; what was durable stays."""

    code = "spool_failed"
    retryable = True


class StoreConflictError(DragomanError):
    """A session does not stand where a commit would go on, or holds this already."""

    code = "store_conflict"


class StoreFailedError(DragomanError):
    """The database cannot be read or written; nothing of the call was done."""

    code = "store_failed"
    retryable = True


class KeyUnknownError(DragomanError):
    """There is no API key of this id."""

    code = "key_unknown"


class CapacityError(DragomanError):
    """As many sessions are live as may be."""

    code = "capacity"
    retryable = True


class DrainingError(DragomanError):
    """The server is stopping."""

    code = "draining"
    retryable = True


class SessionUnknownError(DragomanError):
    """There is no session of this id, or not for this caller."""

    code = "session_unknown"


class SessionElsewhereError(StoreConflictError):
    """Another server works on the session; who resumes it there goes on."""

    code = "session_elsewhere"
    retryable = True


class FolderTakenError(DragomanError):
    """Another server uses the data folder."""

    code = "folder_taken"


class KeyRefusedError(DragomanError):
    """No key was shown, or one that does not open this door."""

    code = "key_refused"


class TokenEndedError(DragomanError):
    """What a client showed when it connected does not hold any more; with something better it goes on."""

    code = "token_ended"


class OriginRefusedError(DragomanError):
    """A page of another site tried to use this server."""

    code = "origin_refused"


class MessageInvalidError(DragomanError):
    """A message of a client cannot be read, or not here."""

    code = "message_invalid"


class IdleError(DragomanError):
    """Nothing came for too long."""

    code = "idle"
    retryable = True


class TakenOverError(DragomanError):
    """Another connection sends this session's audio now."""

    code = "taken_over"


class RequestInvalidError(DragomanError):
    """A request asks for something that does not fit together."""

    code = "request_invalid"


class RouteUnknownError(DragomanError):
    """Nothing is at this address."""

    code = "route_unknown"


class MethodUnknownError(DragomanError):
    """An address is not for this method."""

    code = "method_unknown"


class ChatFailedError(DragomanError):
    """A chat model gave no answer that can be used."""

    code = "chat_failed"
    retryable = True


class TranscriptInvalidError(RequestInvalidError):
    """A file holds no transcript."""

    code = "transcript_invalid"


class ChatFilteredError(DragomanError):
    """A service's content filter stood in the way of a chat."""

    code = "chat_filtered"


class InsightLateError(DragomanError):
    """What follows from a session was not said in time."""

    code = "insight_late"
    retryable = True


class CaptionsLanguageError(RequestInvalidError):
    """Captions were asked for without saying in which of several languages."""

    code = "captions_language"


class StreamFailedError(DragomanError):
    """A stream ended before its session did, and could not be resumed."""

    code = "stream_failed"


class DatasetInvalidError(DragomanError):
    """A dataset is not there, or not what its manifest says."""

    code = "dataset_invalid"


class DatasetUnknownError(DragomanError):
    """The store has no dataset of this name, or not this version of it."""

    code = "dataset_unknown"


class DatasetRefusedError(DragomanError):
    """A dataset may not be handed on: nobody said by what right."""

    code = "dataset_refused"


class SourceFailedError(DragomanError):
    """What a dataset is made from, or written to, cannot be reached, is too large, or is not what it must be."""

    code = "source_failed"


class EvaluationFailedError(DragomanError):
    """An evaluation cannot keep what it finds."""

    code = "evaluation_failed"


class EvaluationMixedError(DragomanError):
    """A folder holds the results of another evaluation."""

    code = "evaluation_mixed"


class ReportInvalidError(DragomanError):
    """A file holds no report of an evaluation."""

    code = "report_invalid"


class CaseInvalidError(DragomanError):
    """A case of a dataset does not hold what its step needs."""

    code = "case_invalid"


class GateInvalidError(DragomanError):
    """The rules or the baseline of a gate cannot be used."""

    code = "gate_invalid"


class TrackingFailedError(DragomanError):
    """An experiment could not be logged."""

    code = "tracking_failed"
    retryable = True


class SweepInvalidError(DragomanError):
    """A file of variants cannot be used."""

    code = "sweep_invalid"


class TokenKeysMissingError(DragomanError):
    """What a token is checked with cannot be had."""

    code = "token_keys_missing"
    retryable = True


class QuotaError(DragomanError):
    """A caller has used what it may use; ``retry_after_s`` says when there is more."""

    code = "quota_exceeded"
    retryable = True

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class JobConflictError(DragomanError):
    """An idempotency key is used for two requests."""

    code = "job_conflict"


class JobUnknownError(DragomanError):
    """There is no job of this id, or not for this caller."""

    code = "job_unknown"


class WebhookRefusedError(RequestInvalidError):
    """A webhook would go where this server does not call."""

    code = "webhook_refused"


class SessionOpenError(DragomanError):
    """A session has not ended yet."""

    code = "session_open"


class SessionErasedError(DragomanError):
    """A session was erased."""

    code = "session_erased"


class FeedbackInvalidError(RequestInvalidError):
    """Feedback is about something that the session does not hold."""

    code = "feedback_invalid"


class FeedbackUnknownError(DragomanError):
    """There is no such feedback, or not for this caller."""

    code = "feedback_unknown"


class FeedbackFullError(DragomanError):
    """As much was said of a session as is kept."""

    code = "feedback_full"


class EvidenceRefusedError(DragomanError):
    """What is to be released is not what was evaluated and passed, or nobody whom we trust says so."""

    code = "evidence_refused"


class ReleaseInvalidError(DragomanError):
    """The file that says what is released, and how, cannot be used."""

    code = "release_invalid"


class ReleaseFailedError(DragomanError):
    """A release cannot go on."""

    code = "release_failed"


class WorkspaceFailedError(DragomanError):
    """An Azure ML workspace does not do what it was asked for."""

    code = "workspace_failed"
    retryable = True


class SubjectUnknownError(DragomanError):
    """There is nothing of this data subject, or not for this caller."""

    code = "subject_unknown"


class ErasureUnknownError(DragomanError):
    """There was no erasure of this id, or not for this caller."""

    code = "erasure_unknown"


class HoldUnknownError(DragomanError):
    """There is no hold of this id."""

    code = "hold_unknown"


class HeldError(DragomanError):
    """Something must not be erased while a legal hold lasts."""

    code = "held"


class AudioGoneError(DragomanError):
    """The audio of a session is not kept, or not any more."""

    code = "audio_gone"


class BudgetError(DragomanError):
    """A tenant has spent what it may spend this month, or has reserved the rest."""

    code = "budget_exhausted"
