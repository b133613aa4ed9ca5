"""An answer without a language model: the utterances that share most words with the question."""

import re
from collections.abc import Sequence
from typing import Final

from dragoman.domain.language import base_language
from dragoman.engines.chat.extractive.insight import Said
from dragoman.engines.chat.extractive.lexicon import lexicon

NOT_THERE: Final = "NOT IN THE TRANSCRIPT"
"""What a model is told to say if the transcript does not (flows/answer)."""

_STEM: Final = 4
_LEAST_SHARE: Final = 0.5  # half of it is not enough
_MOST: Final = 3
_QUESTION_WORDS: Final = re.compile(r"\b(who|what|when|where|which|why|how|whose|whom)\b", re.IGNORECASE)


def answer(question: str, conversation: Sequence[Said], language: str) -> str:
    """Return the utterances that speak of what is asked, each with its id; or that nothing does."""
    asked = _stems(_QUESTION_WORDS.sub(" ", question), language)
    if not asked:
        return NOT_THERE
    shares = [len(asked & _stems(f"{each.said} {each.reads}", language)) / len(asked) for each in conversation]
    best = max(shares, default=0.0)
    if best <= _LEAST_SHARE:
        return NOT_THERE
    found = [at for at, share in enumerate(shares) if share == best][:_MOST]
    # Whoever asks the same question in the conversation was perhaps answered there.
    answers = [at + 1 for at in found if conversation[at].is_question and at + 1 < len(conversation)]
    return " ".join(f"{conversation[at].reads} [{conversation[at].id}]" for at in sorted({*found, *answers}))


def _stems(text: str, language: str) -> set[str]:
    return {word[:_STEM] for word in lexicon(base_language(language)).content(text)}
