"""An insight without a language model: sentences are selected, words are counted."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from dragoman.domain.insight import ActionItem, Claim, InsightDraft, Mood, Sentiment, Topic
from dragoman.domain.language import base_language
from dragoman.engines.chat.extractive.lexicon import Lexicon, lexicon, words, words_as_written

_MOST_SENTENCES, _SENTENCES_PER = 4, 5
"""One sentence of five, at most four."""

_MOST_TOPICS: Final = 5
_STRETCHES: Final = 3


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance as it was ``said``, and as the reader ``reads`` it, with what is known of its language."""

    id: str
    said: str
    reads: str
    locale: str
    speaker: str | None
    lexicon: Lexicon = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lexicon", lexicon(base_language(self.locale)))

    @property
    def is_question(self) -> bool:
        """Whether somebody asks."""
        return self.said.rstrip().endswith(("?", "？", "؟"))

    @property
    def is_courtesy(self) -> bool:
        """Whether it is a greeting, a thanks or the like, and says nothing else."""
        content = [word for word in words(self.said) if word not in self.lexicon.small]
        return not any(word.isdigit() for word in content) and (
            2 * sum(word in self.lexicon.polite for word in content) >= len(content)
        )


def extract(conversation: Sequence[Said], language: str) -> InsightDraft:
    """Return what can be selected and counted; sentences are those that were said."""
    reader = lexicon(base_language(language))
    chosen = _sentences(conversation, reader)
    return InsightDraft(
        summary=tuple(Claim(text=each.reads, utterance_ids=(each.id,)) for each in chosen),
        topics=_topics(conversation, chosen, reader),
        action_items=tuple(_action(each) for each in conversation if _is_action(each)),
        open_questions=tuple(
            Claim(text=each.reads, utterance_ids=(each.id,))
            for at, each in enumerate(conversation)
            if each.is_question and not each.is_courtesy and not _is_answered(each, conversation[at + 1 : at + 2])
        ),
        sentiment=_moods(conversation),
    )


def _sentences(conversation: Sequence[Said], reader: Lexicon) -> list[Said]:
    """Return the sentences whose words come up most, in the order of time."""
    counts = Counter(word for each in conversation for word in set(reader.content(each.reads)))
    weights: dict[str, float] = {}
    for each in conversation:
        content = reader.content(each.reads)
        facts = sum(word.isdigit() for word in words(each.reads))
        if each.is_courtesy or each.is_question or len(content) + facts < 2:
            continue
        weights[each.id] = (sum(counts[word] for word in content) + facts) / max(1, len(content)) ** 0.5
    most = min(_MOST_SENTENCES, max(1, len(conversation) // _SENTENCES_PER))
    best = sorted(weights, key=lambda each: -weights[each])[:most]
    return [each for each in conversation if each.id in best]


def _topics(conversation: Sequence[Said], chosen: Sequence[Said], reader: Lexicon) -> tuple[Topic, ...]:
    """Return the words that several utterances share; without any, those of the chosen sentences."""
    places: dict[str, list[str]] = defaultdict(list)
    for each in conversation:
        if not each.is_courtesy:
            for word in dict.fromkeys(reader.content(each.reads)):
                if not word.isdigit():
                    places[word].append(each.id)
    shared = [word for word in places if len(places[word]) > 1]
    if not shared:
        shared = [max(content, key=len) for each in chosen if (content := _letters(reader.content(each.reads)))]
    shared.sort(key=lambda word: -len(places[word]))
    written = {word.lower(): word for each in reversed(conversation) for word in reversed(words_as_written(each.reads))}
    return tuple(Topic(name=written[word], utterance_ids=tuple(places[word])) for word in shared[:_MOST_TOPICS])


def _letters(content: list[str]) -> list[str]:
    return [word for word in content if not word.isdigit()]


def _is_action(each: Said) -> bool:
    if each.is_courtesy:
        return False
    asks = each.lexicon.asks.search(each.said)
    return bool(asks or each.lexicon.promises.search(each.said)) and len(each.lexicon.content(each.said)) > 0


def _action(each: Said) -> ActionItem:
    """Return what is to be done; who promises does it, and of who is asked we know nothing."""
    owner = each.speaker if each.lexicon.promises.search(each.said) else None
    return ActionItem(task=each.reads, owner=owner, quote=each.said, utterance_ids=(each.id,))


def _is_answered(question: Said, following: Sequence[Said]) -> bool:
    """Return whether what comes next is an answer: it begins like one, or speaks of the same."""
    for answer in following:
        if answer.lexicon.replies.search(answer.said):
            return True
        asked = set(question.lexicon.content(question.said))
        return not answer.is_question and bool(asked & set(answer.lexicon.content(answer.said)))
    return False


def _moods(conversation: Sequence[Said]) -> tuple[Mood, ...]:
    """Return the mood at the beginning, in the middle and at the end; neighbours with the same one are one."""
    if not conversation:
        return ()
    size = -(-len(conversation) // _STRETCHES)
    moods: list[Mood] = []
    for at in range(0, len(conversation), size):
        stretch = conversation[at : at + size]
        ids = tuple(each.id for each in stretch)
        sentiment = _sentiment(stretch)
        if moods and moods[-1].sentiment == sentiment:
            ids, _ = (*moods[-1].utterance_ids, *ids), moods.pop()
        moods.append(Mood(sentiment=sentiment, utterance_ids=ids))
    return tuple(moods)


def _sentiment(stretch: Sequence[Said]) -> Sentiment:
    found = [(word in each.lexicon.good) - (word in each.lexicon.bad) for each in stretch for word in words(each.said)]
    balance = sum(found)
    return "positive" if balance > 0 else "negative" if balance < 0 else "neutral"
