"""Sessions of which something is said, in a database and a spool."""

import asyncio
from collections.abc import Sequence

import numpy as np

from dragoman.domain.events import DurableEvent, InsightReady, TranscriptFinal, TranslationFinal
from dragoman.domain.feedback import Correction, Rating
from dragoman.domain.insight import Claim, Insight
from dragoman.store.feedback import FeedbackStore
from dragoman.store.ports import Books, SessionRecord, Spool
from dragoman.store.sql import SqlStore
from tests.store.said import ended

Said = tuple[str, float | None]
"""A text and how sure the engine was."""

INSIGHT = Insight(
    summary=(Claim(text="Somebody speaks of a parcel.", utterance_ids=("u_1",)),),
    topics=(),
    action_items=(),
    open_questions=(),
    sentiment=(),
    language="en",
    languages=(),
    engine="extractive",
    model=None,
    prompt_version="1",
    withheld=(),
    dropped=0,
    blocked=(),
    costs=(),
)


def keep(store: SqlStore, session_id: str, said: Sequence[Said], tenant: str = "acme", locale: str = "en-US") -> None:
    """Store a session that has ended: an utterance a second, each with its German."""
    events: list[DurableEvent] = []

    def seq() -> int:
        return len(events) + 1

    for number, (text, confidence) in enumerate(said, 1):
        final = TranscriptFinal(
            session_id=session_id,
            seq=seq(),
            utterance_id=f"u_{number}",
            rev=1,
            text=text,
            start_ms=number * 1_000,
            end_ms=number * 1_000 + 800,
            locale=locale,
            confidence=confidence,
            translates_to=("de",),
            engine="whisper",
        )
        events.append(final)
        events.append(
            TranslationFinal(
                session_id=session_id, seq=seq(), utterance_id=f"u_{number}", target="de", text="Etwas.", engine="e"
            )
        )
    events.append(InsightReady(session_id=session_id, seq=seq(), insight=INSIGHT, is_final=True))
    events.append(ended(seq(), session_id))

    async def body() -> None:
        await store.create(SessionRecord(session_id, 1, "{}", tenant=tenant))
        await store.commit(session_id, events, Books(1))

    asyncio.run(body())


def say(store: SqlStore, session_id: str, said: Rating | Correction, tenant: str = "acme") -> str:
    return FeedbackStore(store.engine).add(session_id, tenant, "somebody", said).feedback_id


def corrected(text: str, utterance_id: str = "u_1", locale: str | None = None) -> Correction:
    return Correction(part="transcript", utterance_id=utterance_id, text=text, locale=locale)


async def sound(spool: Spool, session_id: str, seconds: int) -> None:
    """Leave the audio of a session: each second is a tone of its own."""
    audio = await spool.open(session_id)
    for number in range(seconds):
        time_s = np.arange(16_000) / 16_000
        wave = 8_000 * np.sin(2 * np.pi * (200 + 100 * number) * time_s)
        audio.append(wave.astype("<i2").tobytes())
    await audio.until_durable(seconds * 16_000)
    await audio.close()
