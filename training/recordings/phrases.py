"""Sentences to say: drawn by seed, from slot values that training never combines where a pattern has enough of them."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from training.recordings.script import ScriptError
from training.text.sentences import Pattern, Sentence, Split, load_patterns, sentences

_SEED: Final = 20
_DRAWN: Final = 20_000
"""Sentences to choose from: about a hundred for each pattern with combinations that are held out."""
_FIXED_DRAWN: Final = 2_500
"""The same for patterns without: some twenty each, all that many of them can say."""
_FILLERS: Final = ("um,", "well,", "you know,")


class Phrasebook:
    """Hands out each sentence once, so that recordings do not repeat each other; fixed phrases come again."""

    def __init__(self) -> None:
        patterns = load_patterns()
        self._topics: dict[str, list[str]] = defaultdict(list)
        self._free: dict[str, list[Sentence]] = defaultdict(list)
        self._spent: dict[str, list[Sentence]] = defaultdict(list)
        self._fill("combination", _DRAWN)
        for pattern in patterns:
            if pattern.key in self._free:
                self._topics[pattern.topic].append(pattern.key)
        small = [each for each in patterns if not each.is_held_out and each.key not in self._free]
        self._fill("train", _FIXED_DRAWN, small)

    def patterns(self, *topics: str) -> tuple[str, ...]:
        """Return the patterns of some topics, or of all, that can say what training never saw."""
        return tuple(pattern for topic in topics or self._topics for pattern in self._topics[topic])

    def take(self, pattern: str, facts: Sequence[str] = (), *, hesitant: bool = False) -> Sentence:
        """Return a sentence of a pattern with as many of the facts as can be, and a fresh one while there are any.

        Raises:
            ScriptError: if there is no such pattern, or it is held out altogether.
        """
        if pattern not in self._free:
            raise ScriptError(f"no pattern {pattern!r} outside the held-out ones; see training/text/patterns")
        free, spent = (
            [each for each in pool[pattern] if _hesitates(each) == hesitant] for pool in (self._free, self._spent)
        )
        if not free and not spent:
            raise ScriptError(f"nobody hesitates in {pattern!r}; choose another pattern")
        best = max(free or spent, key=lambda sentence: sum(fact in sentence.text("en") for fact in facts))
        pool = self._free if free else self._spent
        pool[pattern].remove(best)
        self._spent[pattern].append(best)  # the least recent one comes first when all are spent
        return best

    def _fill(self, split: Split, count: int, patterns: Sequence[Pattern] = ()) -> None:
        seen = set()
        for sentence in itertools.islice(sentences(_SEED, split, patterns), count):
            if sentence.text("en") not in seen:
                seen.add(sentence.text("en"))
                self._free[sentence.pattern].append(sentence)


def _hesitates(sentence: Sentence) -> bool:
    text = sentence.text("en").lower()
    return any(filler in text for filler in _FILLERS)
