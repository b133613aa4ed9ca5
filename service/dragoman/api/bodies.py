"""What routes answer, as the OpenAPI document shows it: frozen models of the JSON that goes out."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dragoman.pipeline.transcript import Transcript
from dragoman.store.jobs import State


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trouble(_Body):
    """What is wrong: ``code`` is stable, ``message`` is for people; ``retryable``: the same call may succeed later."""

    code: str
    message: str
    retryable: bool


class Problem(_Body):
    """Why a request was refused."""

    error: Trouble


class Transcription(_Body):
    """Who hears: the engine and its model, and the locales that it knows."""

    engine: str
    model: str | None
    locales: list[str]


class Translation(_Body):
    """Languages into which can be translated."""

    targets: list[str]


class Readiness(_Body):
    """What a server that is ready can do."""

    transcription: Transcription
    translation: Translation


class SessionBegun(_Body):
    """A session that waits for its audio. ``token`` is shown once."""

    session_id: str
    token: str
    stream: str
    resume_within_s: float


class Ticket(_Body):
    """A ticket for one stream."""

    ticket: str
    expires_in_s: int


class Hit(_Body):
    """A final in which the words were found; times are milliseconds of its session."""

    session_id: str
    session_created_ms: int
    utterance_id: str
    start_ms: int
    end_ms: int
    locale: str
    text: str


class Hits(_Body):
    """Finals in which all words are, newest session first."""

    finals: list[Hit]


class JobTrouble(_Body):
    """Why a job failed."""

    code: str
    message: str | None


class Job(_Body):
    """How far a job is: ``done_ms`` of ``duration_ms``, if that is known. Times of day are Unix time."""

    job_id: str
    state: State
    source: str | None
    created_ms: int
    finished_ms: int | None
    attempts: int
    done_ms: int
    duration_ms: int | None
    session_id: str | None = Field(description="Of its transcript, once it is completed.")
    error: JobTrouble | None


class Jobs(_Body):
    """The newest jobs."""

    jobs: list[Job]


class OfSubject(_Body):
    """What there is of a person."""

    sessions: list[str]
    jobs: list[str]


class ErasureTold(_Body):
    """What came of an erasure; ``erased`` counts sessions, jobs and items of datasets. Times are Unix time."""

    erasure_id: str
    state: Literal["waiting", "done"] = Field(description="Waiting, while something must end first.")
    asked_ms: int
    done_ms: int | None
    erased: dict[str, int]


class CallExpected(_Body):
    """The address of a call that is expected."""

    call_id: str
    path: str
    expires_in_s: int


class CallSession(_Body):
    """One participant's session; a mixed call has one, of nobody in particular."""

    session_id: str
    speaker: str | None


class CallSoFar(_Body):
    """What a call's participants have said so far."""

    call_id: str
    sessions: list[CallSession]
    transcript: Transcript | None


class OpenAiTrouble(_Body):
    """What is wrong, as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None
    code: str


class OpenAiProblem(_Body):
    """Why a request was refused, as OpenAI's clients read it."""

    error: OpenAiTrouble
