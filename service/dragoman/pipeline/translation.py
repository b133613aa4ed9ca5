"""Which translations a final gets, who makes them, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dragoman.domain.errors import DragomanError, TranslationFailedError
from dragoman.domain.events import TranslationTotals
from dragoman.domain.language import Locale, TargetLanguage, is_same_language
from dragoman.domain.speech import Hypothesis
from dragoman.engines.ports import Translator
from dragoman.pipeline.memory import Memory

Outcomes = Mapping[TargetLanguage, str | DragomanError]
"""A text or the reason why there is none, per target."""


@dataclass(frozen=True, slots=True)
class TranslationPlan:
    """What happens to one final.

    ``made`` holds outcomes of the transcriber, ``ask`` the targets that the translator serves, ``unserved`` those that
    nobody does. Targets in none of them speak the final's own language.
    """

    made: Outcomes
    ask: tuple[TargetLanguage, ...]
    unserved: tuple[TargetLanguage, ...]

    @property
    def targets(self) -> tuple[TargetLanguage, ...]:
        """Targets for which an outcome follows; the others are skipped."""
        return (*self.made, *self.ask)


@dataclass(frozen=True, slots=True, eq=False)
class OpenTranslation:
    """A request to the translator that is under way."""

    utterance_id: str
    targets: tuple[TargetLanguage, ...]
    task: asyncio.Task[Outcomes]

    def abandon(self) -> Outcomes:
        """Cancel it; return its outcomes."""
        self.task.cancel()
        return dict.fromkeys(self.targets, TranslationFailedError("The session was stopped before it was translated."))


class Translations:
    """The translations of one session and their tally."""

    def __init__(
        self, targets: tuple[TargetLanguage, ...], translator: Translator | None, memory: Memory | None = None
    ) -> None:
        memory = memory or Memory()
        self._targets = targets
        self._translator = translator
        self._final = Counter(memory.translated)
        self._failed = Counter(memory.failed)
        owed = Counter(target for _, owing in memory.open_finals for target in owing)
        self._skipped = Counter(
            {each: memory.finals - self._final[each] - self._failed[each] - owed[each] for each in targets}
        )

    @property
    def engine(self) -> str:
        """Name of the translator."""
        return self._translator.name if self._translator else "none"

    def wanted_of_transcriber(self, candidates: Sequence[Locale]) -> tuple[TargetLanguage, ...]:
        """Return the targets that the translator cannot serve from every candidate."""
        return tuple(
            target
            for target in self._targets
            if not all(is_same_language(locale, target) or self._serves(locale, target) for locale in candidates)
        )

    def plan(self, hypothesis: Hypothesis) -> TranslationPlan:
        """Decide what happens to a final, and tally what is skipped."""
        source = hypothesis.locale
        made: dict[TargetLanguage, str | DragomanError] = {
            target: text or TranslationFailedError("The engine could not translate this utterance.")
            for target, text in hypothesis.translations.items()
            if target in self._targets and not self._serves(source, target)  # one engine per pair
        }
        open_ = [target for target in self._targets if target not in made and not is_same_language(source, target)]
        ask = tuple(target for target in open_ if self._serves(source, target))
        plan = TranslationPlan(made, ask, tuple(target for target in open_ if target not in ask))
        self._skipped.update(target for target in self._targets if target not in plan.targets)
        return plan

    def served(self, source: Locale) -> tuple[TargetLanguage, ...]:
        """Return the targets into which the translator translates a language."""
        return tuple(
            target for target in self._targets if not is_same_language(source, target) and self._serves(source, target)
        )

    def ask(self, utterance_id: str, text: str, source: Locale, targets: tuple[TargetLanguage, ...]) -> OpenTranslation:
        """Start to translate a final into targets that the translator serves."""
        return OpenTranslation(utterance_id, targets, asyncio.create_task(self.translate(text, source, targets)))

    def count(self, outcomes: Outcomes) -> None:
        """Tally what became of a final."""
        self._failed.update(target for target, outcome in outcomes.items() if isinstance(outcome, DragomanError))
        self._final.update(target for target, outcome in outcomes.items() if isinstance(outcome, str))

    def totals(self) -> tuple[TranslationTotals, ...]:
        """Return the tally per target, in the order asked for."""
        return tuple(
            TranslationTotals(
                target=target, final=self._final[target], failed=self._failed[target], skipped=self._skipped[target]
            )
            for target in self._targets
        )

    async def translate(self, text: str, source: Locale, targets: tuple[TargetLanguage, ...]) -> Outcomes:
        """Return the outcome per target; every failure is one."""
        if self._translator is None:
            return dict.fromkeys(targets, TranslationFailedError("There is no translator any more."))
        try:
            outcomes = await self._translator.translate(text, source, targets)
        except DragomanError as error:
            return dict.fromkeys(targets, error)
        except Exception as error:  # noqa: BLE001 - becomes the outcome: a translation never costs the session
            failure = TranslationFailedError(f"The translator failed unexpectedly ({type(error).__name__}).")
            return dict.fromkeys(targets, failure)
        nothing = TranslationFailedError("The translator gave no answer for this language.")
        return {target: outcomes.get(target, nothing) for target in targets}

    def _serves(self, source: Locale, target: TargetLanguage) -> bool:
        return self._translator is not None and self._translator.supports(source, target)
