import asyncio
from collections.abc import Sequence

from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage, parse_target
from dragoman.engines.failover_translator import FailoverTranslator
from tests.fakes import ScriptedTranslator

DE, FR, JA = parse_target("de"), parse_target("fr"), parse_target("ja")
US = Locale("en-US")


class Named(ScriptedTranslator):
    def __init__(self, name: str, *targets: str, failing: Sequence[str] = ()) -> None:
        super().__init__(
            [("en-US", target) for target in targets],
            failing={text: TranslationFailedError(f"{name} failed") for text in failing},
        )
        self.name = name


def translated(engine: FailoverTranslator, text: str, *targets: TargetLanguage) -> dict[TargetLanguage, object]:
    return dict(asyncio.run(engine.translate(text, US, targets)))


def test_the_first_that_serves_a_pair_translates() -> None:
    cloud, local = Named("cloud", "de", "ja"), Named("local", "de", "fr")
    engine = FailoverTranslator([cloud, local])
    assert translated(engine, "hi", DE, FR, JA) == {DE: "<de>hi", FR: "<fr>hi", JA: "<ja>hi"}
    assert (cloud.calls, local.calls) == ([("hi", ("de", "ja"))], [("hi", ("fr",))])
    assert engine.targets == ("de", "fr", "ja")
    assert engine.supports(US, JA)
    assert not engine.supports(US, parse_target("es"))


def test_what_the_first_cannot_do_now_the_next_does() -> None:
    cloud, local = Named("cloud", "de", failing=["one"]), Named("local", "de")
    engine = FailoverTranslator([cloud, local])
    assert engine.name == "cloud"
    assert translated(engine, "one", DE) == {DE: "<de>one"}
    assert engine.name == "local"
    assert translated(engine, "two", DE) == {DE: "<de>two"}
    assert cloud.calls == [("one", ("de",))]  # it is left alone for a while


def test_a_failure_of_all_is_an_outcome() -> None:
    engine = FailoverTranslator([Named("cloud", "de", failing=["x"]), Named("local", "de", failing=["x"])])
    (outcome,) = translated(engine, "x", DE).values()
    assert isinstance(outcome, TranslationFailedError)
    assert str(outcome) == "local failed"
