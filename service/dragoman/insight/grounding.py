"""Whether what a model says was said: claims without evidence are dropped."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from dragoman.domain.insight import ActionItem, Claim, InsightDraft, Mood, Topic
from dragoman.domain.language import base_language
from dragoman.insight.conversation import Conversation, Line

T = TypeVar("T", Claim, Topic, ActionItem, Mood)

_NUMBER: Final = re.compile(r"\d+")

_SHORT: Final = 3
"""Words up to this long say little about what a sentence is about."""

_STEM: Final = 5
"""Words that begin alike are taken for the same: endings differ."""

_LEAST_SHARED: Final = 0.25

_GROUPING: Final = re.compile(r"(?<=\d)[.,'’\u00a0\u202f](?=\d{3}(?!\d))")
"""What stands between the thousands of a number."""

UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Letters of languages that are written without spaces: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""


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
    wanted, said = words(_GROUPING.sub("", quote)), words(_GROUPING.sub("", line.text))
    if UNSPACED.search(quote):
        return bool(wanted) and "".join(wanted) in "".join(said)
    return bool(wanted) and any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1))


def agrees(text: str, cited: Sequence[Line], language: str) -> bool:
    """Return whether the numbers of a text were all said, and some of its words, if it is in the language spoken."""
    said = "\n".join(
        [*(line.text for line in cited), *(other for line in cited for other in line.translations.values())]
    )
    if not _numbers(text) <= _numbers(said):
        return False
    stems, known = _stems(text, _SHORT), set(_stems(said, 0))
    shared = sum(stem in known for stem in stems)
    return not stems or not _is_comparable(cited, language) or shared >= len(stems) * _LEAST_SHARED


def _is_comparable(cited: Sequence[Line], language: str) -> bool:
    """Return whether what was said is there in the language of the claim."""
    reader = base_language(language)
    return all(base_language(line.locale) == reader or line.in_language(language) != line.text for line in cited)


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(_GROUPING.sub("", text)))


def _stems(text: str, longer_than: int) -> list[str]:
    """Return how words begin; of what is written without spaces, every two letters that stand together."""
    stems: list[str] = []
    for word in words(text):
        if UNSPACED.search(word):
            stems += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        elif len(word) > longer_than:
            stems.append(word[:_STEM])
    return stems


def words(text: str) -> list[str]:
    """Return words and numbers in small letters."""
    return re.findall(r"\w+", text.lower())
