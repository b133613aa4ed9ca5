"""The guard on Azure Content Safety against the emulator."""

import asyncio
from collections.abc import Iterator

import pytest

from dragoman.domain.errors import EngineFailedError, EngineRefusedError
from dragoman.emulator.admission import KEY
from dragoman.emulator.faults import Fault
from dragoman.engines.azure.access import AzureAccess
from dragoman.engines.azure.retries import Retries
from dragoman.engines.azure.safety import AzureGuard
from dragoman.engines.safety.rules import RuleGuard
from dragoman.engines.safety.several import Guards
from tests.emulated import Emulator
from tests.insight.injections import HARMLESS, TEXTS
from tests.insight.talk import Trusting, sample, step

pytestmark = pytest.mark.slow


@pytest.fixture
def guard(emulator: Emulator) -> Iterator[AzureGuard]:
    made = AzureGuard(AzureAccess(emulator.url, KEY), Retries(attempts=2, first_pause_s=0.01))
    yield made
    made.close()


def test_attacks_are_found_among_harmless_texts_in_few_calls(emulator: Emulator, guard: AzureGuard) -> None:
    texts = [*HARMLESS, TEXTS[0][1], *HARMLESS, TEXTS[40][1]]
    judged = asyncio.run(guard.attacks(texts))
    assert [text for text, is_attack in zip(texts, judged, strict=True) if is_attack] == [TEXTS[0][1], TEXTS[40][1]]
    assert emulator.faults.knocks["safety"] < len(texts)
    assert emulator.violations == []


def test_what_is_harmless_takes_one_call(emulator: Emulator, guard: AzureGuard) -> None:
    assert not any(asyncio.run(guard.attacks(HARMLESS)))
    assert emulator.faults.knocks["safety"] == 1


def test_a_text_that_is_too_long_is_judged_to_its_end(guard: AzureGuard) -> None:
    long = "The parcel is late. " * 600 + TEXTS[0][1]
    assert list(asyncio.run(guard.attacks(["Hello.", long]))) == [False, True]


def test_a_text_that_is_too_long_is_judged_to_its_end_among_others(guard: AzureGuard) -> None:
    long = "The parcel is late. " * 120 + TEXTS[0][1]
    assert list(asyncio.run(guard.attacks(["Hello.", "Bye.", long, long]))) == [False, False, True, True]


def test_nothing_is_nothing(emulator: Emulator, guard: AzureGuard) -> None:
    assert list(asyncio.run(guard.attacks([]))) == []
    assert list(asyncio.run(guard.harms([]))) == []
    assert emulator.faults.knocks["safety"] == 0


def test_harms_have_a_category(emulator: Emulator, guard: AzureGuard) -> None:
    assert list(asyncio.run(guard.harms(["I will kill you.", "Good morning.", "I want to kill myself."]))) == [
        "violence",
        None,
        "selfharm",
    ]
    assert emulator.violations == []


@pytest.mark.parametrize(("status", "kind", "knocks"), [(401, EngineRefusedError, 1), (503, EngineFailedError, 2)])
def test_a_guard_that_cannot_tell_lets_nothing_pass(
    emulator: Emulator, guard: AzureGuard, status: int, kind: type[Exception], knocks: int
) -> None:
    emulator.faults.add(Fault(door="safety", status=status, times=0))
    with pytest.raises(kind, match=str(status)):
        asyncio.run(step(guard=guard).run(sample("en"), "en"))
    assert emulator.faults.knocks["safety"] == knocks


def test_what_one_guard_suspects_is_suspect(guard: AzureGuard) -> None:
    both = Guards((Trusting(), RuleGuard(), guard))
    assert both.name == "trusting+rules+azure-content-safety"
    assert list(asyncio.run(both.attacks(["Hello.", TEXTS[0][1]]))) == [False, True]
    assert list(asyncio.run(both.harms(["I will kill you."]))) == ["violence"]


def test_an_insight_is_guarded_over_the_wire_as_in_process(guard: AzureGuard) -> None:
    far = asyncio.run(step(guard=guard).run(sample("de"), "en"))
    near = asyncio.run(step().run(sample("de"), "en"))
    assert far.model_dump(exclude={"costs"}) == near.model_dump(exclude={"costs"})
