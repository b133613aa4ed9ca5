"""The engine for language models against the emulator's door, as Azure OpenAI and as a server that is compatible."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from typing import ClassVar

import pytest

from dragoman.domain.chat import ChatReply, ChatRequest, Message
from dragoman.domain.errors import ChatFilteredError, DragomanError, EngineFailedError, EngineRefusedError
from dragoman.emulator.admission import KEY
from dragoman.emulator.faults import Fault
from dragoman.engines.chat.openai import ChatAccess, ChatOptions, OpenAIChat, Prices
from tests.emulated import Emulator
from tests.insight.talk import sample, step

pytestmark = pytest.mark.slow

HELLO = ChatRequest((Message("user", "The parcel 12 is late. Nice weather."),))


class Chat(OpenAIChat):
    """One that is closed after its test."""

    made: ClassVar[list[OpenAIChat]] = []

    def __init__(self, access: ChatAccess, options: ChatOptions | None = None) -> None:
        super().__init__(access, options)
        self.made.append(self)


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    while Chat.made:
        Chat.made.pop().close()


def model(emulator: Emulator, *, is_azure: bool = True, retries: int = 0, key: str = KEY) -> OpenAIChat:
    place = emulator.url if is_azure else f"{emulator.url}/openai/v1"
    access = ChatAccess(place, "gpt-test", is_azure=is_azure, key=key)
    return Chat(access, ChatOptions(timeout_s=2.0, retries=retries))


@pytest.mark.parametrize("is_azure", [True, False])
@pytest.mark.parametrize("name", ["en", "mixed"])
def test_an_insight_comes_over_the_wire_as_it_does_in_process(emulator: Emulator, is_azure: bool, name: str) -> None:
    far = asyncio.run(step(model(emulator, is_azure=is_azure)).run(sample(name), "en"))
    near = asyncio.run(step().run(sample(name), "en"))
    assert far.engine == ("azure-openai" if is_azure else "openai")
    assert far.model == "gpt-test"
    differs = {"engine", "model", "costs"}
    assert far.model_dump(exclude=differs) == near.model_dump(exclude=differs)
    drafted = next(cost for cost in far.costs if cost.node == "draft")
    assert drafted.prompt_tokens > drafted.completion_tokens > 0
    assert emulator.violations == []


def test_what_it_costs_is_known_if_prices_are(emulator: Emulator) -> None:
    access = ChatAccess(emulator.url, "gpt-test", is_azure=True, key=KEY)
    usage = asyncio.run(Chat(access, ChatOptions(prices=Prices(1_000_000, 2_000_000))).complete(HELLO)).usage
    assert usage.cost_usd == usage.prompt_tokens + 2 * usage.completion_tokens
    assert asyncio.run(model(emulator).complete(HELLO)).usage.cost_usd is None


async def streamed(asked: OpenAIChat) -> list[str | ChatReply]:
    async with aclosing(asked.stream(HELLO)) as told:
        return [piece async for piece in told]


def test_an_answer_is_streamed(emulator: Emulator) -> None:
    *pieces, reply = asyncio.run(streamed(model(emulator)))
    assert isinstance(reply, ChatReply)
    assert "".join(map(str, pieces)) == reply.text == "The parcel 12 is late."
    assert reply.usage.completion_tokens > 0


def test_a_stream_that_fails_says_why(emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="chat", filtered=True))
    with pytest.raises(ChatFilteredError):
        asyncio.run(streamed(model(emulator)))


def test_who_leaves_a_stream_leaves_nothing_behind(emulator: Emulator) -> None:
    asked = model(emulator)

    async def leave() -> float:
        async with aclosing(asked.stream(HELLO)) as told:
            assert await anext(told)
            began_s = time.monotonic()
        return time.monotonic() - began_s

    assert asyncio.run(leave()) < 0.5
    emulator.faults.add(Fault(door="chat", delay_s=1.5))

    async def leave_before_it_begins() -> float:
        reading = asyncio.ensure_future(streamed(asked))
        await asyncio.sleep(0.2)
        began_s = time.monotonic()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        return time.monotonic() - began_s

    assert asyncio.run(leave_before_it_begins()) < 0.5
    time.sleep(2.0)  # its thread is done with what nobody wants any more
    asked.close()


def test_a_stream_that_is_closed_before_it_began_ends(emulator: Emulator) -> None:
    asked = Chat(ChatAccess(emulator.url, "gpt-test", is_azure=True, key=KEY), ChatOptions(calls=1))
    emulator.faults.add(Fault(door="chat", delay_s=1))

    async def close_meanwhile() -> None:
        first = asyncio.ensure_future(asked.complete(HELLO))
        await asyncio.sleep(0.1)
        second = asyncio.ensure_future(streamed(asked))
        await asyncio.sleep(0.1)
        asked.close()
        with pytest.raises(EngineFailedError, match="closed"):
            await asyncio.wait_for(second, 5)
        await asyncio.gather(first, return_exceptions=True)

    asyncio.run(close_meanwhile())


def test_one_model_serves_several_loops(emulator: Emulator) -> None:
    asked = model(emulator)
    assert [asyncio.run(asked.complete(HELLO)).text for _ in range(2)] == ["The parcel 12 is late."] * 2


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault(door="chat", filtered=True), ChatFilteredError, "content filter"),
        (Fault(door="chat", status=401), EngineRefusedError, "HTTP 401"),
        (Fault(door="chat", status=429), EngineFailedError, "HTTP 429"),
        (Fault(door="chat", status=500), EngineFailedError, "HTTP 500"),
        (Fault(door="chat", delay_s=5), EngineFailedError, "APITimeoutError"),
    ],
)
def test_trouble_has_a_name(emulator: Emulator, fault: Fault, kind: type[DragomanError], says: str) -> None:
    emulator.faults.add(fault)
    with pytest.raises(kind, match=says) as raised:
        asyncio.run(model(emulator).complete(HELLO))
    assert "parcel" not in str(raised.value)
    assert emulator.faults.knocks["chat"] == 1


def test_a_service_that_asks_for_time_gets_it_once(emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="chat", status=429, retry_after_s=1))
    began_s = time.monotonic()
    assert asyncio.run(model(emulator, retries=1).complete(HELLO)).text
    assert time.monotonic() - began_s >= 1
    assert emulator.faults.knocks["chat"] == 2


def test_an_answer_that_is_none_is_a_failure(emulator: Emulator) -> None:
    broken = Chat(ChatAccess(f"{emulator.url}/emulator/knocks?", "gpt-test"), ChatOptions(retries=0))
    with pytest.raises(DragomanError):
        asyncio.run(broken.complete(HELLO))

    def token() -> str:
        raise ValueError("nobody is signed in")

    nobody = Chat(ChatAccess(emulator.url, "gpt-test", is_azure=True, token=token), ChatOptions(retries=0))
    with pytest.raises(EngineFailedError, match="ValueError"):
        asyncio.run(nobody.complete(HELLO))


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    with pytest.raises(EngineRefusedError, match="401"):
        asyncio.run(model(emulator, key="another").complete(HELLO))


def test_a_token_opens_the_door_too(emulator: Emulator) -> None:
    asked = Chat(ChatAccess(emulator.url, "gpt-test", is_azure=True, token=lambda: "e30.e30.x"))
    assert asyncio.run(asked.complete(HELLO)).model == "gpt-test"


def test_nobody_there_is_said() -> None:
    with pytest.raises(EngineFailedError, match="APIConnectionError"):
        asyncio.run(Chat(ChatAccess("http://127.0.0.1:9/v1", "x"), ChatOptions(retries=0)).complete(HELLO))
