"""The Translator engine against the emulator: what it sends, how often, and what comes of trouble."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

import pytest

from dragoman.domain.errors import EngineFailedError, TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage, parse_target
from dragoman.emulator.admission import KEY
from dragoman.emulator.faults import Fault
from dragoman.engines.azure.access import AzureAccess
from dragoman.engines.azure.retries import Retries
from dragoman.engines.azure.translator import AzureTranslator, AzureTranslatorOptions
from tests.emulated import Emulator

pytestmark = pytest.mark.slow

ES = Locale("es-ES")
EN, DE = parse_target("en"), parse_target("de")


@pytest.fixture
def engine(emulator: Emulator) -> Iterator[AzureTranslator]:
    made = AzureTranslator(AzureAccess(emulator.url, KEY), retries=Retries(first_pause_s=0.01))
    yield made
    made.close()


def translated(
    engine: AzureTranslator, *texts: str, targets: Sequence[TargetLanguage] = (EN,)
) -> list[Mapping[TargetLanguage, str | TranslationFailedError]]:
    async def one(text: str) -> Mapping[TargetLanguage, str | TranslationFailedError]:
        try:
            return await engine.translate(text, ES, targets)
        except TranslationFailedError as error:
            return dict.fromkeys(targets, error)

    async def all_() -> list[Mapping[TargetLanguage, str | TranslationFailedError]]:
        return await asyncio.gather(*map(one, texts))

    return asyncio.run(all_())


def test_a_text_goes_into_all_its_targets_in_one_call(emulator: Emulator, engine: AzureTranslator) -> None:
    (outcome,) = translated(engine, "Buenos días.", targets=(EN, DE))
    assert set(outcome) == {EN, DE}
    assert "good morning" in str(outcome[EN]).lower()
    assert emulator.exchanges == ["translator POST /translate 200"]
    assert engine.characters == 2 * len("Buenos días.")


def test_texts_that_come_meanwhile_go_together(emulator: Emulator, engine: AzureTranslator) -> None:
    outcomes = translated(engine, *(["Buenos días.", "Gracias."] * 20))
    assert len({str(outcome[EN]) for outcome in outcomes}) == 2
    assert len(emulator.exchanges) <= 6  # 4 at once, and the other 36 together


def test_nothing_is_asked_of_nothing(emulator: Emulator, engine: AzureTranslator) -> None:
    assert translated(engine, " ") == [{EN: ""}]
    assert translated(engine, "Hola.", targets=()) == [{}]
    assert emulator.exchanges == []


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_call_that_may_succeed_is_made_again(emulator: Emulator, engine: AzureTranslator, status: int) -> None:
    emulator.faults.add(Fault(door="translator", status=status, times=2))
    assert isinstance(translated(engine, "Gracias.")[0][EN], str)
    assert emulator.faults.knocks["translator"] == 3


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_call_that_cannot_succeed_is_made_once(emulator: Emulator, engine: AzureTranslator, status: int) -> None:
    emulator.faults.add(Fault(door="translator", status=status, times=0))
    outcome = translated(engine, "Gracias.")[0][EN]
    assert str(outcome) == f"Azure Translator: HTTP {status}"
    assert emulator.faults.knocks["translator"] == 1


def test_a_service_that_asks_for_time_gets_it(emulator: Emulator, engine: AzureTranslator) -> None:
    emulator.faults.add(Fault(door="translator", status=429, retry_after_s=1))

    async def time() -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await engine.translate("Gracias.", ES, [EN])
        return loop.time() - began_s

    assert asyncio.run(time()) >= 1.0


def test_more_time_than_there_is_is_not_waited_for(emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="translator", status=429, retry_after_s=60, times=0))
    engine = AzureTranslator(AzureAccess(emulator.url, KEY), retries=Retries(deadline_s=2.0))
    assert isinstance(translated(engine, "Gracias.")[0][EN], TranslationFailedError)
    assert emulator.faults.knocks["translator"] == 1
    engine.close()


def test_an_answer_that_does_not_come_is_a_failure(emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="translator", delay_s=1.0, times=0))
    engine = AzureTranslator(
        AzureAccess(emulator.url, KEY), AzureTranslatorOptions(timeout_s=0.2), Retries(attempts=2, first_pause_s=0.01)
    )
    outcome = translated(engine, "Gracias.")[0][EN]
    assert str(outcome).startswith("Azure Translator: no answer")
    engine.close()


def test_words_to_keep_are_kept(emulator: Emulator) -> None:
    engine = AzureTranslator(AzureAccess(emulator.url, KEY), AzureTranslatorOptions(kept=("Contoso & Co",)))
    outcome = str(translated(engine, "Buenos días. Contoso & Co")[0][EN])
    assert outcome.endswith("Contoso & Co")
    assert "good morning" in outcome.lower()
    engine.close()


def test_languages_are_known_once_it_is_ready(emulator: Emulator, engine: AzureTranslator) -> None:
    assert engine.supports(ES, parse_target("ja"))  # it is asked when it comes to that
    asyncio.run(engine.ready())
    assert engine.targets == ("de", "en", "es", "fr")
    assert engine.supports(ES, DE)
    assert not engine.supports(ES, parse_target("ja"))


def test_an_endpoint_that_is_not_there_says_so() -> None:
    engine = AzureTranslator(AzureAccess("http://127.0.0.1:9", KEY), retries=Retries(attempts=1))
    with pytest.raises(EngineFailedError, match="does not name its languages"):
        asyncio.run(engine.ready())
    assert isinstance(translated(engine, "Gracias.")[0][EN], TranslationFailedError)
    engine.close()
