"""Transcripts as the conversation that the steps read."""

from collections.abc import Sequence

from dragoman.insight.conversation import Conversation, Line
from dragoman.pipeline.transcript import Transcript


def conversation_of(transcripts: Sequence[Transcript]) -> Conversation:
    """Return what was said; of several transcripts the ids begin with a number, ``2/u_7``, counted from 1."""
    return Conversation(
        lines=tuple(
            Line(
                id=f"{number}/{each.utterance_id}" if len(transcripts) > 1 else each.utterance_id,
                text=each.text,
                locale=each.locale,
                start_ms=each.start_ms,
                end_ms=each.end_ms,
                speaker=each.speaker,
                translations={target: text for target, text in each.translations.items() if text},
            )
            for number, transcript in enumerate(transcripts, 1)
            for each in transcript.utterances
        )
    )
