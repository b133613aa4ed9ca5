"""Messages of Azure Communication Services, as they are documented and as they were seen."""

import json
from datetime import UTC, datetime

import pytest

from dragoman.api.acs_messages import LONGEST_MESSAGE, Audio, Metadata, Other, parse
from dragoman.domain.errors import MessageInvalidError

AT = datetime(2024, 11, 15, 19, 16, 12, 925_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            {"kind": "AudioMetadata", "audioMetadata": {"encoding": "PCM", "sampleRate": 24000, "length": 960}},
            Metadata(encoding="pcm", samplerate=24_000),
        ),
        ({"Kind": "AudioMetadata", "AudioMetadata": {"Encoding": "PCM"}}, Metadata(encoding="pcm")),
        (
            {
                "kind": "AudioData",
                "audioData": {
                    "timestamp": "2024-11-15T19:16:12.925Z",
                    "participantRawID": "8:acs:1",
                    "data": "AQA=",
                    "silent": False,
                },
            },
            Audio.model_validate({"data": "AQA=", "timestamp": AT, "participantrawid": "8:acs:1"}),
        ),
        (
            {"Kind": "AudioData", "AudioData": {"Timestamp": "2024-11-15T19:16:12.9250000", "Data": ""}},
            Audio(timestamp=AT),
        ),
        ({"kind": "audioData", "audioData": {"participantRawId": "", "data": ""}}, Audio()),
        ({"kind": "DtmfData", "dtmfData": {"data": "3"}}, Other()),
        ({"Kind": "StopAudio", "AudioData": None, "StopAudio": {}}, Other()),
        ({"kind": "SomethingNew"}, Other()),
    ],
)
def test_a_message_is_read_whatever_the_case_of_its_names(message: object, said: object) -> None:
    assert parse(json.dumps(message)) == said


@pytest.mark.parametrize("text", ["", "1", "{}", '{"kind":1}', '{"kind":"AudioData","audioData":[]}', "[" * 10_000])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(MessageInvalidError):
        parse(text)


def test_a_message_has_its_limit_and_is_not_quoted() -> None:
    with pytest.raises(MessageInvalidError, match="65536"):
        parse(" " * (LONGEST_MESSAGE + 1))
    with pytest.raises(MessageInvalidError) as refused:
        parse('{"kind":"AudioData","audioData":{"participantRawID":["secret"]}}')
    assert "secret" not in str(refused.value)
