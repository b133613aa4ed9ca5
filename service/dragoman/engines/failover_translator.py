"""One translator of several: what the first cannot translate now, the next does."""

from collections.abc import Callable, Mapping, Sequence

from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage
from dragoman.engines.breaker import Breaker, Health
from dragoman.engines.ports import Translator

Outcome = str | TranslationFailedError


class FailoverTranslator:
    """A ``Translator`` that tries others in order; one that fails is left alone for a while."""

    def __init__(self, translators: Sequence[Translator], breaker: Callable[[], Breaker] = Breaker) -> None:
        self._routes = [(translator, breaker()) for translator in translators]

    @property
    def name(self) -> str:
        """The translator that a text would go to now."""
        return next((each.name for each, breaker in self._routes if breaker.allows), self._routes[-1][0].name)

    @property
    def health(self) -> tuple[Health, ...]:
        """How the translators are, best first."""
        return tuple(breaker.health(translator.name) for translator, breaker in self._routes)

    @property
    def targets(self) -> tuple[TargetLanguage, ...]:
        """Return what any of them translates into."""
        return tuple(sorted({target for translator, _ in self._routes for target in translator.targets}))

    def supports(self, source: Locale, target: TargetLanguage) -> bool:
        """Return whether any of them serves this pair."""
        return any(translator.supports(source, target) for translator, _ in self._routes)

    async def translate(
        self, text: str, source: Locale, targets: Sequence[TargetLanguage]
    ) -> Mapping[TargetLanguage, Outcome]:
        """Return one outcome per target; a failure is that of the last one that tried."""
        outcomes: dict[TargetLanguage, Outcome] = {}
        for translator, breaker in self._routes:
            open_ = [target for target in targets if not isinstance(outcomes.get(target), str)]
            served = [target for target in open_ if translator.supports(source, target)]
            if served and breaker.allows:
                outcomes |= await _tried(translator, breaker, text, source, served)
        rested = TranslationFailedError("No translator that knows these languages can be reached now.")
        return {target: outcomes.get(target, rested) for target in targets}


async def _tried(
    translator: Translator, breaker: Breaker, text: str, source: Locale, targets: Sequence[TargetLanguage]
) -> Mapping[TargetLanguage, Outcome]:
    breaker.begin()
    try:
        outcomes = await translator.translate(text, source, targets)
    except TranslationFailedError as error:
        breaker.failed()
        return dict.fromkeys(targets, error)
    finally:
        breaker.over()
    # One text that cannot be translated says nothing about the service.
    breaker.succeeded()
    return outcomes
