"""Settings become the engines of the steps."""

import asyncio

import pytest

from dragoman.domain.errors import SettingsError
from dragoman.emulator.admission import KEY
from dragoman.engines.ports import Closes
from dragoman.insight.remote import RemoteInsight
from dragoman.settings import Settings, read_settings
from dragoman.steps import Steps, is_azure_openai
from tests.emulated import Emulator
from tests.insight.talk import sample


def settings(**chosen: str) -> Settings:
    return read_settings(**chosen)


def test_without_settings_sentences_are_selected() -> None:
    steps = Steps(Settings())
    assert (steps.chat.name, steps.guard.name) == ("extractive", "rules")
    assert "DRAGOMAN_CHAT_ENDPOINT" in steps.reach_chat()
    steps.close()


@pytest.mark.parametrize(
    ("endpoint", "is_azure"),
    [
        ("https://x.openai.azure.com", True),
        ("https://x.openai.azure.com/openai/v1/", True),
        ("https://x.cognitiveservices.azure.us:443/", True),
        ("http://127.0.0.1:11434/v1", False),
        ("https://azure.com.example.org/v1", False),
    ],
)
def test_azure_is_known_by_its_host(endpoint: str, is_azure: bool) -> None:
    assert is_azure_openai(endpoint) == is_azure
    steps = Steps(settings(chat_endpoint=endpoint, chat_model="gpt", chat_key="k"))
    assert steps.chat.name == ("azure-openai" if is_azure else "openai")
    steps.close()


def test_an_endpoint_needs_a_model() -> None:
    with pytest.raises(SettingsError, match="DRAGOMAN_CHAT_ENDPOINT and DRAGOMAN_CHAT_MODEL go together"):
        settings(chat_endpoint="http://127.0.0.1:1/v1")


@pytest.mark.parametrize("prices", ["1", "a,b", "1,2,3"])
def test_prices_are_two_numbers(prices: str) -> None:
    with pytest.raises(SettingsError, match="DRAGOMAN_CHAT_PRICES"):
        settings(chat_prices=prices)


@pytest.mark.slow
def test_azure_guards_behind_the_rules_and_a_flow_may_be_elsewhere(emulator: Emulator) -> None:
    steps = Steps(
        settings(
            azure_endpoints=emulator.url,
            azure_key=KEY,
            insight_endpoint=f"{emulator.url}/insight/score",
            insight_key="e30.e30.x",
            chat_endpoint=f"{emulator.url}/openai/v1",
            chat_model="gpt-test",
            chat_key="e30.e30.x",
            chat_prices="1,2",
        )
    )
    assert steps.guard.name == "rules+azure-content-safety"
    assert isinstance(steps.insight_client, RemoteInsight)
    assert isinstance(steps.insight_client, Closes)
    assert asyncio.run(steps.insight_client.run(sample("en"), "en")).engine == "extractive"  # that of the endpoint
    insight = asyncio.run(steps.insight().run(sample("en"), "en"))
    assert insight.engine == "openai"
    assert sum(cost.cost_usd or 0 for cost in insight.costs) > 0
    assert steps.reach_chat() == "openai, model gpt-test, answers"
    steps.close()
