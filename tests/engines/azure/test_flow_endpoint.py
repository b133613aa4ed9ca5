"""Flows behind ``/score``, as our client calls them, through the emulator."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any, ClassVar

import pytest
from azure.core.credentials import AccessToken

from dragoman.domain.errors import DragomanError, EngineFailedError, EngineRefusedError
from dragoman.emulator.faults import Fault
from dragoman.engines.azure.endpoint import EndpointAccess, FlowEndpoint
from dragoman.engines.azure.retries import Retries, RetryBudget
from dragoman.insight.remote import RemoteInsight
from tests.emulated import Emulator
from tests.insight.talk import answering, sample, step

pytestmark = pytest.mark.slow

TOKEN = "e30.e30.x"


class Endpoint(FlowEndpoint):
    """One that is closed after its test."""

    made: ClassVar[list[FlowEndpoint]] = []

    def __init__(self, access: EndpointAccess, retries: Retries | None = None, timeout_s: float = 30.0) -> None:
        super().__init__(access, retries, timeout_s)
        self.made.append(self)


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    while Endpoint.made:
        Endpoint.made.pop().close()


def endpoint(emulator: Emulator, flow: str, retries: Retries | None = None) -> FlowEndpoint:
    quick = retries or Retries(attempts=3, first_pause_s=0.01)
    return Endpoint(EndpointAccess(f"{emulator.url}/{flow}/score", key=TOKEN), quick, timeout_s=2.0)


@pytest.fixture
def insight(emulator: Emulator) -> FlowEndpoint:
    return endpoint(emulator, "insight")


def test_an_insight_comes_from_an_endpoint_as_in_process(insight: FlowEndpoint) -> None:
    far = asyncio.run(RemoteInsight(insight).run(sample("mixed"), "en"))
    near = asyncio.run(step().run(sample("mixed"), "en"))
    assert far.model_dump(exclude={"costs"}) == near.model_dump(exclude={"costs"})


def test_several_are_served_at_once(insight: FlowEndpoint) -> None:
    async def together() -> int:
        client = RemoteInsight(insight)
        return len(await asyncio.gather(*(client.run(sample("en"), "en") for _ in range(12))))

    assert asyncio.run(together()) == 12


def test_an_answer_is_streamed(emulator: Emulator) -> None:
    question = "How much would the repair cost?"
    given: dict[str, Any] = {
        "question": question,
        "conversation": sample("de").model_dump(mode="json"),
        "language": "en",
    }

    async def collect() -> list[tuple[str, str]]:
        async with aclosing(endpoint(emulator, "answer").stream(given)) as told:
            return [event async for event in told]

    events = asyncio.run(collect())
    assert [name for name, _ in events] == ["sentence", "answer"]
    near = asyncio.run(answering().run(question, sample("de"), "en"))
    assert json.loads(events[-1][1])["sentences"] == near.model_dump(mode="json")["sentences"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "conversation: Field required"),
        ({"conversation": {"lines": []}, "language": "klingonese"}, "not a"),
        ({"conversation": {"lines": [{"id": 1}]}}, "conversation.lines.0.id"),
    ],
)
def test_bad_input_is_refused_once_and_explained(
    emulator: Emulator, insight: FlowEndpoint, given: dict[str, object], says: str
) -> None:
    with pytest.raises(EngineRefusedError, match=says):
        asyncio.run(insight.call(given))  # type: ignore[arg-type]
    assert emulator.faults.knocks["score"] == 1


@pytest.mark.parametrize(
    ("fault", "kind", "knocks"),
    [
        (Fault(door="score", status=503), None, 2),
        (Fault(door="score", status=503, times=0), EngineFailedError, 3),
        (Fault(door="score", status=401), EngineRefusedError, 1),
        (Fault(door="score", delay_s=6, times=0), EngineFailedError, 3),
    ],
    ids=["once", "down", "refused", "slow"],
)
def test_trouble_is_tried_again_if_there_is_a_point(
    emulator: Emulator, insight: FlowEndpoint, fault: Fault, kind: type[DragomanError] | None, knocks: int
) -> None:
    emulator.faults.add(fault)
    if kind is None:
        assert asyncio.run(RemoteInsight(insight).run(sample("en"), "en")).summary
    else:
        with pytest.raises(kind):
            asyncio.run(RemoteInsight(insight).run(sample("en"), "en"))
    assert emulator.faults.knocks["score"] == knocks


def test_the_budget_of_retries_is_shared(emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="score", status=503, times=0))
    retries = Retries(attempts=4, first_pause_s=0.001, budget=RetryBudget(most=5))
    client = RemoteInsight(endpoint(emulator, "insight", retries))

    async def storm() -> None:
        await asyncio.gather(*(client.run(sample("en"), "en") for _ in range(20)), return_exceptions=True)

    asyncio.run(storm())
    assert emulator.faults.knocks["score"] <= 20 + 5 + 2  # and not 80


def test_a_token_is_shown_over_tls_only(emulator: Emulator) -> None:
    asked: list[tuple[str, ...]] = []

    class Tokens:
        def get_token(self, *scopes: str, **options: object) -> AccessToken:
            asked.append(scopes)
            return AccessToken(TOKEN, int(time.time()) + 3_600)

    access = EndpointAccess(f"{emulator.url}/insight/score", credential=Tokens())
    with pytest.raises(EngineFailedError, match="ServiceRequestError"):
        asyncio.run(Endpoint(access, Retries(attempts=1)).call({}))
    assert (asked, emulator.faults.knocks["score"]) == ([], 0)
