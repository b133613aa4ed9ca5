"""Whether what a model says was said: claims without evidence are dropped."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from dragoman.domain.insight import ActionItem, Claim, InsightDraft, Mood, Topic
from dragoman.insight.conversation import Conversation, Line

T = TypeVar("T", Claim, Topic, ActionItem, Mood)

_NUMBER: Final = re.compile(r"\d+")


def grounded(draft: InsightDraft, conversation: Conversation, language: str) -> tuple[InsightDraft, int]:
    """Return what is borne out, and how many claims are not.

    Whatever points at an utterance that is not there is dropped; a sentence with a number that was not said there; a
    quote that nobody said in these words; and text in which hardly a word was said, where the words can be compared.
    """
    lines = {line.id: line for line in conversation.lines}

    def kept(claims: Iterable[T]) -> tuple[T, ...]:
        return tuple(claim for claim in claims if _is_borne_out(claim, lines, language))

    sound = InsightDraft(
        summary=kept(draft.summary),
        topics=kept(draft.topics),
        action_items=kept(draft.action_items),
        open_questions=kept(draft.open_questions),
        sentiment=kept(draft.sentiment),
    )
    return sound, _count(draft) - _count(sound)


def _count(draft: InsightDraft) -> int:
    return sum(map(len, (draft.summary, draft.topics, draft.action_items, draft.open_questions, draft.sentiment)))


def _is_borne_out(claim: Claim | Topic | ActionItem | Mood, lines: dict[str, Line], language: str) -> bool:
    if not claim.utterance_ids or not all(each in lines for each in claim.utterance_ids):
        return False
    cited = [lines[each] for each in claim.utterance_ids]
    match claim:
        case Mood():
            return True
        case ActionItem():
            return any(_contains(line, claim.quote) for line in cited) and agrees(claim.task, cited, language)
        case Claim():
            return agrees(claim.text, cited, language)
        case Topic():
            return agrees(claim.name, cited, language)


def _contains(line: Line, quote: str) -> bool:
    """Return whether somebody said this, word by word."""
    wanted = _words(quote)
    said = _words(line.text)
    return bool(wanted) and any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1))


def agrees(text: str, cited: Sequence[Line], language: str) -> bool:
    """Return whether the numbers of a text were all said, and some of its words, if it is in the language spoken."""
    said = " ".join(
        [*(line.text for line in cited), *(other for line in cited for other in line.translations.values())]
    )
    if not set(_NUMBER.findall(text)) <= set(_NUMBER.findall(said)):
        return False
    words = [word for word in _words(text) if len(word) > _SHORT]
    known = {word[:_STEM] for word in _words(said)}
    is_comparable = all(line.in_language(language) != line.text or line.locale.startswith(language) for line in cited)
    shared = sum(word[:_STEM] in known for word in words)
    return not words or not is_comparable or shared >= len(words) * _LEAST_SHARED


_SHORT: Final = 3
"""Words up to this long say little about what a sentence is about."""

_STEM: Final = 5
"""Words that begin alike are taken for the same: endings differ."""

_LEAST_SHARED: Final = 0.25


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
