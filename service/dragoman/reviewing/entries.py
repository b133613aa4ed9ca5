"""What waits for a person, what was decided, and how much each matters. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from typing import Final, Literal

from pydantic import JsonValue

from dragoman.domain.feedback import Correction, Rating
from dragoman.insight.conversation import Line
from dragoman.pipeline.transcript import Transcript, Utterance
from dragoman.store.feedback import FeedbackRecord
from dragoman.store.reviews import Review

State = Literal["open", "accepted", "rejected"]

GOOD: Final = 4
"""From here on somebody was content, and nothing is to be done: "good" of ITU-T P.800."""

_BEST: Final = 5
_UNKNOWN: Final = 0.5
"""How much is in doubt where an engine says nothing of its confidence."""

_BEFORE: Final = 4
"""Utterances that are shown with one."""


@dataclass(frozen=True, slots=True)
class Impact:
    """How much an entry matters, from 0 to 3, and why: in doubt, disliked, and one of many."""

    doubt: float = 0.0
    dislike: float = 0.0
    many: float = 0.0
    alike: int = 1

    @property
    def score(self) -> float:
        """All three together."""
        return round(self.doubt + self.dislike + self.many, 3)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that somebody said of a text, with the text, and what became of it.

    ``utterance`` is what it is about, if it is one, and ``before`` what was said until then. ``was`` is the text as it
    is, and ``text`` how it should read: as a reviewer says, else as was suggested; ``None`` of a rating alone.
    """

    record: FeedbackRecord
    review: Review | None
    transcript: Transcript
    utterance: Utterance | None
    before: tuple[Utterance, ...]
    was: str
    impact: Impact = Impact()

    @property
    def state(self) -> State:
        """What became of it."""
        return self.review.state if self.review else "open"

    @property
    def text(self) -> str | None:
        """How it should read."""
        if self.review and self.review.text is not None:
            return self.review.text
        return self.record.said.text if isinstance(self.record.said, Correction) else None

    @property
    def locale(self) -> str | None:
        """Which language is spoken in it, as far as anybody says."""
        said = self.record.said
        corrected = said.locale if isinstance(said, Correction) else None
        return corrected or (self.utterance.locale if self.utterance else None)

    def lines(self) -> tuple[Line, ...]:
        """Return what was said, as the steps read it."""
        return tuple(as_line(each) for each in self.transcript.utterances)


def told(entry: Entry) -> dict[str, JsonValue]:
    """Return an entry as its tenant is told of it."""
    impact: dict[str, JsonValue] = {"score": entry.impact.score, **asdict(entry.impact)}
    return {
        **entry.record.told(),
        "state": entry.state,
        "was": entry.was,
        "should_be": entry.text,
        "confidence": entry.utterance.confidence if entry.utterance else None,
        "impact": impact,
        "review": asdict(entry.review) if entry.review else None,
    }


def as_line(utterance: Utterance) -> Line:
    """Return an utterance as the steps read it."""
    return Line(
        id=utterance.utterance_id,
        text=utterance.text,
        locale=utterance.locale,
        start_ms=utterance.start_ms,
        end_ms=utterance.end_ms,
        speaker=utterance.speaker,
        translations={target: text for target, text in utterance.translations.items() if text},
    )


def entries_of(
    records: Iterable[FeedbackRecord], reviews: Mapping[str, Review], transcripts: Mapping[str, Transcript]
) -> list[Entry]:
    """Return what a person should look at or has looked at, what matters most first.

    The latest correction of a text takes the place of earlier ones. Who rates something as good asks for nothing.
    """
    said = sorted(records, key=lambda record: (record.created_ms, record.feedback_id))
    held: dict[tuple[str | None, ...], FeedbackRecord] = {}
    for record in said:
        if isinstance(record.said, Rating):
            if record.said.rating < GOOD:
                held["rating", record.feedback_id] = record
        else:
            held["correction", *_about(record)] = record
    ratings: defaultdict[tuple[str | None, ...], list[int]] = defaultdict(list)
    for record in said:
        if isinstance(record.said, Rating):
            ratings[_about(record)].append(record.said.rating)
    found = [
        _entry(record, reviews.get(record.feedback_id), transcripts[record.session_id])
        for record in held.values()
        if record.session_id in transcripts
    ]
    waiting = Counter(kind for entry in found if entry.state == "open" for kind in set(_kinds(entry)))
    weighed = [replace(entry, impact=_impact(entry, ratings, waiting)) for entry in found]
    return sorted(weighed, key=lambda entry: (-entry.impact.score, entry.record.created_ms, entry.record.feedback_id))


def changes(was: str, now: str) -> list[tuple[str, str]]:
    """Return the runs of words that differ between two texts, each as it was and as it is."""
    before, after = _words(was), _words(now)
    matcher = SequenceMatcher(None, [word.casefold() for word in before], [word.casefold() for word in after], False)
    return [
        (" ".join(before[i1:i2]), " ".join(after[j1:j2]))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _entry(record: FeedbackRecord, review: Review | None, transcript: Transcript) -> Entry:
    said = record.said
    at = next(
        (number for number, each in enumerate(transcript.utterances) if each.utterance_id == said.utterance_id), None
    )
    utterance = transcript.utterances[at] if at is not None else None
    before = transcript.utterances[max(0, at - _BEFORE) : at] if at is not None else ()
    if said.part == "insight":
        was = "\n".join(claim.text for claim in transcript.insight.summary) if transcript.insight else ""
    elif utterance is None:
        was = ""
    elif said.part == "translation":
        was = utterance.translations.get(said.target or "") or ""
    else:
        was = utterance.text
    return Entry(record, review, transcript, utterance, tuple(before), was)


def _impact(
    entry: Entry, ratings: Mapping[tuple[str | None, ...], Sequence[int]], waiting: Mapping[tuple[str, ...], int]
) -> Impact:
    about = _about(entry.record)
    confidence = entry.utterance.confidence if entry.utterance else None
    worst = min((*ratings.get(about, ()), *ratings.get(_whole(about), ())), default=_BEST)
    alike = max((waiting.get(kind, 0) for kind in _kinds(entry)), default=0)
    return Impact(
        doubt=round(1 - confidence, 3) if confidence is not None else _UNKNOWN,
        dislike=round((_BEST - worst) / (_BEST - 1), 3),
        many=round(1 - 1 / alike, 3) if alike else 0.0,
        alike=max(alike, 1),
    )


def _about(record: FeedbackRecord) -> tuple[str | None, ...]:
    return record.session_id, record.said.part, record.said.target, record.said.utterance_id


def _whole(about: tuple[str | None, ...]) -> tuple[str | None, ...]:
    return (*about[:3], None)


def _kinds(entry: Entry) -> list[tuple[str, ...]]:
    """Return what an entry has in common with others of its kind: the same words for the same others."""
    said, text = entry.record.said, entry.text
    where = said.part, said.target or entry.locale or ""
    if text is None:
        return [("rating", *where)]
    return [(*where, was.casefold(), now.casefold()) for was, now in changes(entry.was, text)]


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'’-]+", text)
