"""What follows from a conversation, as lines that people read."""

from collections.abc import Iterator

from dragoman.domain.insight import Insight
from dragoman.insight.answering import Answer


def minutes(insight: Insight) -> str:
    """Return an insight as text: who says so, then what follows, with the utterances that bear it out."""
    return "".join(f"{line}\n" for line in _lines(insight))


def origin(said: Insight | Answer) -> str:
    """Return who says so, in words that leave no doubt when it is no language model."""
    if said.engine == "extractive":
        return "extractive: selected and counted, no language model"
    return f"{said.engine}, {said.model}" if said.model else said.engine


def _lines(insight: Insight) -> Iterator[str]:
    yield f"Insight ({origin(insight)})"
    for claim in insight.summary:
        yield f"  {claim.text}  {_ids(claim.utterance_ids)}"
    if insight.topics:
        yield f"  Topics: {', '.join(topic.name for topic in insight.topics)}"
    for item in insight.action_items:
        yield f"  To do: {f'{item.owner}: ' if item.owner else ''}{item.task}  {_ids(item.utterance_ids)}"
    for question in insight.open_questions:
        yield f"  Open: {question.text}  {_ids(question.utterance_ids)}"
    if insight.sentiment:
        yield f"  Mood: {' → '.join(mood.sentiment for mood in insight.sentiment)}"
    yield f"  Languages: {', '.join(f'{each.locale} {each.share:.0%}' for each in insight.languages)}"
    if insight.withheld:
        yield f"  Kept from the model, for it reads like an order to it: {_ids(insight.withheld)}"


def _ids(utterance_ids: tuple[str, ...]) -> str:
    return f"[{', '.join(utterance_ids)}]"
