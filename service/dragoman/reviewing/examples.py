"""Accepted corrections → examples for the steps, as they would be given and as they should be answered."""

import re
from typing import TYPE_CHECKING, Final

from dragoman.datasets.exports.outcome import LeftOut, Reason
from dragoman.domain.insight import Claim, Insight
from dragoman.insight.content import Example
from dragoman.insight.conversation import Conversation, Line
from dragoman.insight.grounding import agrees, words
from dragoman.insight.reciting import Step, flaws
from dragoman.reviewing.entries import Entry, changes

if TYPE_CHECKING:
    from pydantic import JsonValue

_SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_MOST_CITED: Final = 3
_SHORT: Final = 3
_WHY: Final = "a person corrected it"


async def example_of(entry: Entry, step: Step) -> Example | LeftOut:
    """Return an accepted correction as an example of a step, if the step would accept it; otherwise why not.

    Raises:
        DragomanError: if the guard cannot tell.
    """
    made = _insight(entry) if entry.record.said.part == "insight" else _polish(entry)
    if isinstance(made, str):
        return LeftOut(entry.record.feedback_id, Reason.SHAPE, made)
    if found := await flaws(step, made):
        why = f"the step would not accept it: {'; '.join(found)}"
        return LeftOut(entry.record.feedback_id, Reason.SHAPE, why)
    return made


def _polish(entry: Entry) -> Example | str:
    """Return how an utterance was heard, and how it should read."""
    spoken, text = entry.utterance, entry.text
    if spoken is None or not text:
        return "there is nothing to read again"
    if entry.locale != spoken.locale:
        return "its language was taken for another, which reading again cannot mend"
    made: JsonValue = [
        {"was": was or "(nothing)", "now": now or "(nothing)", "why": _WHY} for was, now in changes(entry.was, text)
    ]
    before: JsonValue = [each.text for each in entry.before]
    return Example(
        id=entry.record.feedback_id,
        locales=(spoken.locale,),
        given={
            "before": before,
            "glossary": [],
            "utterance": {"locale": spoken.locale, "text": spoken.text, "translations": []},
        },
        answer={"text": text, "translations": [], "changes": made},
    )


def _insight(entry: Entry) -> Example | str:
    """Return a conversation, and what follows from it with the summary as it should read."""
    insight, text = entry.transcript.insight, entry.text
    if insight is None or not text:
        return "there is no insight"
    conversation = Conversation(lines=entry.lines())
    summary: list[JsonValue] = []
    for sentence in filter(None, (each.strip() for each in _SENTENCE.split(text))):
        cited = _cited(sentence, conversation, insight)
        if not cited:
            return "nothing that was said bears one of its sentences out"
        summary.append(Claim(text=sentence, utterance_ids=tuple(line.id for line in cited)).model_dump(mode="json"))
    kept = insight.model_dump(mode="json", include={"topics", "action_items", "open_questions", "sentiment"})
    return Example(
        id=entry.record.feedback_id,
        locales=tuple(dict.fromkeys(line.locale for line in conversation.lines)),
        given={"language": insight.language, "utterances": conversation.as_data(insight.language)},
        answer={"summary": summary, **kept},
    )


def _cited(sentence: str, conversation: Conversation, insight: Insight) -> list[Line]:
    """Return the utterances that bear a sentence out: as few as do, those that share most of its words."""
    known = {claim.text: claim.utterance_ids for claim in insight.summary}
    if sentence in known:
        return [line for line in conversation.lines if line.id in known[sentence]]
    wanted = {word for word in words(sentence) if len(word) > _SHORT or word.isdigit()}

    def shared(line: Line) -> int:
        return len(wanted & set(words(" ".join((line.text, *line.translations.values())))))

    nearest = sorted((line for line in conversation.lines if shared(line)), key=shared, reverse=True)
    for count in range(1, min(_MOST_CITED, len(nearest)) + 1):
        if agrees(sentence, nearest[:count], insight.language):
            chosen = {line.id for line in nearest[:count]}
            return [line for line in conversation.lines if line.id in chosen]
    return []
