"""The beginning of the open utterance that stays as it was read."""

from dataclasses import dataclass
from typing import Final

from dragoman.domain.language import Locale

_OPEN_TOKENS: Final = 2
"""The last tokens that two readings agree on stay open: more sound may change the word they belong to, and the model
must have something left to say, for it may not end at once.
"""


@dataclass(frozen=True, slots=True)
class _Utterance:
    start: int
    locale: Locale


class CommittedTokens:
    """Tokens on which two readings of an utterance in a row agree (LocalAgreement-2, Liu et al. 2020).

    The next reading begins with them, so that it does not change what was shown.
    """

    def __init__(self) -> None:
        self._utterance: _Utterance | None = None
        self._before: tuple[int, ...] = ()
        self._prefix: tuple[int, ...] = ()

    def prefix(self, start: int, locale: Locale) -> tuple[int, ...]:
        """Return what is committed of the utterance that begins at sample ``start``, read in a language."""
        if self._utterance != (utterance := _Utterance(start, locale)):
            self._utterance, self._before, self._prefix = utterance, (), ()
        return self._prefix

    def read(self, tokens: tuple[int, ...]) -> None:
        """Note the next reading of that utterance."""
        agreed = 0
        for token, before in zip(tokens, self._before, strict=False):
            if token != before:
                break
            agreed += 1
        self._prefix = tokens[: max(len(self._prefix), agreed - _OPEN_TOKENS)]
        self._before = tokens

    def forget(self) -> None:
        """Commit nothing of it: the reading was not to be trusted."""
        self._utterance = None
