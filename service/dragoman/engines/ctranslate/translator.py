"""The offline translator: any number of CTranslate2 models behind the ``Translator`` role."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage, parse_target
from dragoman.engines.ctranslate.interpreter import Interpreter, load_interpreter
from dragoman.engines.ctranslate.model import TranslationModel
from dragoman.engines.ctranslate.options import CTranslate2Options
from dragoman.engines.ctranslate.routes import Leg, Route, find_route

Outcome = str | TranslationFailedError


class CTranslate2Translator:
    """Translates with the models given, directly or through English.

    A model is loaded when it is first needed. All work is done one text at a time on a thread of its own, which keeps
    the event loop free, gives every text all ``intra_threads``, and makes concurrent calls safe.
    """

    def __init__(self, models: Sequence[TranslationModel], options: CTranslate2Options | None = None) -> None:
        self._models = tuple(models)
        self._options = options or CTranslate2Options()
        self._interpreters: dict[TranslationModel, Interpreter] = {}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ctranslate2")

    @property
    def name(self) -> str:
        """Short stable name for events."""
        return "ctranslate2"

    @property
    def targets(self) -> tuple[TargetLanguage, ...]:
        """Return what some model translates into."""
        return tuple(sorted({parse_target(target) for model in self._models for target in model.targets}))

    def supports(self, source: Locale, target: TargetLanguage) -> bool:
        """Return whether a model, or two that meet in English, serve this pair."""
        return find_route(self._models, source, target) is not None

    async def translate(
        self, text: str, source: Locale, targets: Sequence[TargetLanguage]
    ) -> Mapping[TargetLanguage, str | TranslationFailedError]:
        """Return one outcome per target, in their order; blank text has blank translations."""
        if not targets or not text.strip():
            return dict.fromkeys(targets, "")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._translate, text, source, tuple(targets))

    def _translate(self, text: str, source: Locale, targets: Sequence[TargetLanguage]) -> dict[TargetLanguage, Outcome]:
        texts: dict[Route, str] = {(): text}
        outcomes: dict[TargetLanguage, Outcome] = {}
        for target in targets:
            try:
                outcomes[target] = self._follow(self._route(source, target), texts)
            except TranslationFailedError as error:
                outcomes[target] = error
        return outcomes

    def _route(self, source: Locale, target: TargetLanguage) -> Route:
        route = find_route(self._models, source, target)
        if route is None:
            raise TranslationFailedError(f"No model translates {source} into {target}.")
        return route

    def _follow(self, route: Route, texts: dict[Route, str]) -> str:
        """Return the text at the end of ``route``; ``texts`` holds, and gets, the text after every way walked."""
        if route not in texts:
            texts[route] = self._run(route[-1], self._follow(route[:-1], texts))
        return texts[route]

    def _run(self, leg: Leg, text: str) -> str:
        try:
            return self._interpreter(leg.model).translate(text, leg)
        except TranslationFailedError:
            raise
        except Exception as error:  # the libraries name no classes for what can go wrong in them
            raise TranslationFailedError(
                f"The model '{leg.model.folder.name}' could not be loaded or run ({type(error).__name__})."
            ) from error

    def _interpreter(self, model: TranslationModel) -> Interpreter:
        if model not in self._interpreters:
            self._interpreters[model] = load_interpreter(model, self._options)
        return self._interpreters[model]
