"""The openai SDK, unmodified, against the emulator."""

import json
from collections.abc import Iterator

import openai
import pytest

from dragoman.emulator.admission import KEY
from dragoman.emulator.faults import Fault
from tests.emulated import Emulator

pytestmark = pytest.mark.slow

TEXT = "The parcel 12 is late. Nice weather."


@pytest.fixture
def azure(emulator: Emulator) -> Iterator[openai.AzureOpenAI]:
    with openai.AzureOpenAI(
        azure_endpoint=emulator.url, api_key=KEY, api_version="2024-10-21", max_retries=0
    ) as client:
        yield client


def test_a_chat_is_completed(azure: openai.AzureOpenAI, emulator: Emulator) -> None:
    made = azure.chat.completions.create(model="gpt-test", messages=[{"role": "user", "content": TEXT}])
    assert made.choices[0].message.content == "The parcel 12 is late."
    assert made.choices[0].finish_reason == "stop"
    assert made.usage
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens
    assert made.model == "gpt-test"
    assert emulator.exchanges
    assert emulator.violations == []


def test_a_chat_is_streamed(azure: openai.AzureOpenAI) -> None:
    stream = azure.chat.completions.create(
        model="gpt-test",
        messages=[{"role": "user", "content": TEXT}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "The parcel 12 is late."
    )
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage


def test_the_version_without_deployments_is_served_too(emulator: Emulator) -> None:
    with openai.OpenAI(base_url=f"{emulator.url}/openai/v1", api_key="e30.e30.x", max_retries=0) as client:
        made = client.chat.completions.create(
            model="gpt-test",
            messages=[
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": TEXT}]},
            ],
        )
    assert made.choices[0].message.content == "The parcel 12 is late."


def test_a_schema_is_held(azure: openai.AzureOpenAI) -> None:
    data = {"quality": "groundedness", "claims": [{"text": "The parcel is late.", "evidence": [TEXT]}]}
    made = azure.chat.completions.create(
        model="gpt-test",
        messages=[{"role": "user", "content": json.dumps(data)}],
        response_format={"type": "json_schema", "json_schema": {"name": "judgement", "schema": {"type": "object"}}},
    )
    assert json.loads(made.choices[0].message.content or "")["verdicts"][0]["score"] == 5


def test_what_the_engine_cannot_do_is_refused(azure: openai.AzureOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="poem"):
        azure.chat.completions.create(
            model="gpt-test",
            messages=[{"role": "user", "content": TEXT}],
            response_format={"type": "json_schema", "json_schema": {"name": "poem", "schema": {"type": "object"}}},
        )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(door="chat", status=429, retry_after_s=3), openai.RateLimitError),
        (Fault(door="chat", status=500), openai.InternalServerError),
        (Fault(door="chat", status=403), openai.PermissionDeniedError),
    ],
)
def test_it_misbehaves_as_it_is_told(
    azure: openai.AzureOpenAI, emulator: Emulator, fault: Fault, kind: type[openai.APIStatusError]
) -> None:
    emulator.faults.add(fault)
    with pytest.raises(kind) as raised:
        azure.chat.completions.create(model="gpt-test", messages=[{"role": "user", "content": TEXT}])
    assert raised.value.response.headers.get("retry-after") == (
        str(fault.retry_after_s) if fault.retry_after_s else None
    )


def test_the_content_filter_says_so(azure: openai.AzureOpenAI, emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="chat", filtered=True))
    with pytest.raises(openai.BadRequestError) as raised:
        azure.chat.completions.create(model="gpt-test", messages=[{"role": "user", "content": TEXT}])
    assert raised.value.code == "content_filter"


def test_another_version_is_not_found(emulator: Emulator) -> None:
    asked = openai.AzureOpenAI(azure_endpoint=emulator.url, api_key=KEY, api_version="1999-01-01", max_retries=0)
    with asked as client, pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt-test", messages=[{"role": "user", "content": TEXT}])
