"""What a session is asked to do."""

from dataclasses import dataclass

from dragoman.domain.language import LidMode, Locale, TargetLanguage, check_candidates
from dragoman.domain.recognition import DEFAULT_RECOGNITION, RecognitionOptions


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """The wishes of whoever opens a session.

    ``model``, ``source`` and ``channel`` are echoed for the reader; ``live`` and ``partials`` are those of the
    ``TranscriptionRequest``.

    Raises:
        LanguageLimitError: if the candidates break the limits of language identification.
    """

    session_id: str
    candidates: tuple[Locale, ...]
    lid: LidMode = LidMode.CONTINUOUS
    targets: tuple[TargetLanguage, ...] = ()
    word_times: bool = False
    recognition: RecognitionOptions = DEFAULT_RECOGNITION
    insight: TargetLanguage | None = None
    polish: bool = False
    model: str | None = None
    source: str | None = None
    channel: int | None = None
    live: bool = False
    partials: bool = False

    def __post_init__(self) -> None:
        check_candidates(self.candidates, self.lid)
