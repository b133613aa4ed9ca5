"""What follows from a conversation. Every claim points at the utterances that bear it out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

UtteranceIds = tuple[str, ...]
"""Where something was said: ids of utterances, in their order. (That there is one is not for a schema to say: services
that hold a model to a schema know no lengths.)
"""

Sentiment = Literal["positive", "neutral", "negative"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Claim(_Value):
    """A sentence about the conversation."""

    text: str
    utterance_ids: UtteranceIds


class Topic(_Value):
    """What was spoken about."""

    name: str
    utterance_ids: UtteranceIds


class ActionItem(_Value):
    """Something that somebody is to do; ``quote`` is how it was said, word by word."""

    task: str
    owner: str | None
    quote: str
    utterance_ids: UtteranceIds


class Mood(_Value):
    """How a stretch of the conversation sounded."""

    sentiment: Sentiment
    utterance_ids: UtteranceIds


class InsightDraft(_Value):
    """What a chat model is asked for. Moods follow each other in the order of time."""

    summary: tuple[Claim, ...]
    topics: tuple[Topic, ...]
    action_items: tuple[ActionItem, ...]
    open_questions: tuple[Claim, ...]
    sentiment: tuple[Mood, ...]


class Change(_Value):
    """What was corrected in an utterance."""

    was: str
    now: str
    why: str


class LanguageShare(_Value):
    """How much of the speech was in a locale, of 1."""

    locale: str
    share: Annotated[float, Field(ge=0, le=1)]


class NodeCost(_Value):
    """What one node of a step took."""

    node: str
    took_ms: Annotated[float, Field(ge=0)]
    prompt_tokens: Annotated[int, Field(ge=0)] = 0
    completion_tokens: Annotated[int, Field(ge=0)] = 0
    cost_usd: Annotated[float, Field(ge=0)] | None = None


class Insight(InsightDraft):
    """What follows from a conversation, in ``language``, and who says so.

    ``engine`` is ``"extractive"`` if sentences were selected and counted without any language model. ``withheld``
    utterances were kept from the model, because they read like instructions to it. ``dropped`` claims are not here,
    because nothing that was said bears them out, and ``blocked`` ones for the harms that are named. ``prompt_version``
    changes with every word of the prompts and examples.
    """

    language: str
    languages: tuple[LanguageShare, ...]
    engine: str
    model: str | None
    prompt_version: str
    withheld: tuple[str, ...]
    dropped: Annotated[int, Field(ge=0)]
    blocked: tuple[str, ...]
    costs: tuple[NodeCost, ...]
