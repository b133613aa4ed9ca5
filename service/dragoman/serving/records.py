"""What is stored of what somebody wishes of a session, and read again by whoever goes on with it."""

import time
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from dragoman.domain.caller import Caller
from dragoman.domain.messages import AudioFormat, SessionWishes
from dragoman.pipeline.spec import SessionSpec
from dragoman.runtime import Wishes
from dragoman.store.digest import digest, subject_digest
from dragoman.store.ports import SessionRecord


class Kept(BaseModel):
    """What is stored of a session, so that another process, with other models, goes on with the same."""

    model_config = ConfigDict(frozen=True)

    wishes: SessionWishes
    candidates: tuple[str, ...]
    targets: tuple[str, ...] = ()
    model: str | None


def wishes_of(wishes: SessionWishes) -> Wishes:
    """Return what is wished of a recording by what is kept of it."""
    return Wishes(
        wishes.languages,
        wishes.lid,
        wishes.translate,
        wishes.word_times,
        wishes.recognition,
        wishes.insight,
        wishes.polish,
    )


def session_wishes(wishes: Wishes, channel: int | None, source: str | None) -> SessionWishes:
    """Return what is kept of what is wished of a recording."""
    return SessionWishes(
        languages=tuple(wishes.languages) if wishes.languages else None,
        lid=wishes.lid,
        translate=tuple(wishes.translate),
        word_times=wishes.word_times,
        recognition=wishes.recognition,
        insight=wishes.insight,
        polish=wishes.polish,
        partials=False,
        channel=channel,
        source=source,
    )


def digests(tenant: str, subjects: Iterable[str]) -> tuple[str, ...]:
    """Return what stands for the subjects of a session."""
    return tuple(sorted({subject_digest(tenant, each) for each in subjects}))


def record_of(
    spec: SessionSpec, wishes: SessionWishes, caller: Caller, token: str | None, uploaded_bytes: int = 0
) -> SessionRecord:
    """Return what is stored of a new session; its ``token`` lets who holds no key connect to it."""
    named, wishes = wishes.subjects, wishes.model_copy(update={"subjects": ()})  # of persons, digests are kept
    kept = Kept(wishes=wishes, candidates=spec.candidates, targets=spec.targets, model=spec.model)
    return SessionRecord(
        session_id=spec.session_id,
        created_ms=time.time_ns() // 1_000_000,
        spec_json=kept.model_dump_json(),
        tenant=caller.tenant,
        owner=caller.owner,
        uploaded_bytes=uploaded_bytes,
        token_hash=digest(token) if token else None,
        subjects=digests(caller.tenant, named),
    )


def declared_audio(record: SessionRecord) -> tuple[AudioFormat, int | None]:
    """Return how a session's audio was declared, and the channel that is heard."""
    wishes = Kept.model_validate_json(record.spec_json).wishes
    return wishes.audio, wishes.channel
