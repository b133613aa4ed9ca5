import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.domain.errors import MessageInvalidError
from dragoman.emulator.usp import compose, parse

CONTEXT = "X-Timestamp:2026-11-21T03:54:49.876Z\r\nPath:speech.context\r\nX-RequestId:da0d\r\n\r\n{}"
AUDIO_HEAD = b"X-Timestamp:2026-11-21T03:54:49.876Z\r\nPath:audio\r\nX-RequestId:da0d\r\nX-StreamId:1\r\n"


def binary(head: bytes, payload: bytes = b"", length: int | None = None) -> bytes:
    return (len(head) if length is None else length).to_bytes(2, "big") + head + payload


def test_a_text_message_is_headers_and_a_body() -> None:
    message = parse(CONTEXT)
    assert (message.path, message.request_id, message.body) == ("speech.context", "da0d", "{}")
    assert message.headers["x-timestamp"].startswith("2026")


def test_a_binary_message_counts_its_headers() -> None:
    message = parse(binary(AUDIO_HEAD, b"\x01\x02"))
    assert (message.path, message.request_id, message.body) == ("audio", "da0d", b"\x01\x02")
    assert parse(binary(AUDIO_HEAD)).body == b""


@pytest.mark.parametrize(
    "data",
    [
        "",
        "Path:speech.context\n\n{}",
        "no header\r\n\r\n",
        "X-RequestId:1\r\n\r\n",
        ":empty\r\n\r\n",
        b"",
        b"\x00",
        binary(AUDIO_HEAD, length=500),
        binary("Path:ä".encode()),
        "\r\n".join(f"X-{number}:1" for number in range(40)) + "\r\n\r\n",
    ],
)
def test_what_is_framed_wrongly_is_refused(data: str | bytes) -> None:
    with pytest.raises(MessageInvalidError):
        parse(data)


@given(st.one_of(st.text(), st.binary()))
@pytest.mark.slow
def test_nothing_but_a_message_or_a_refusal_comes_of_any_bytes(data: str | bytes) -> None:
    with contextlib.suppress(MessageInvalidError):
        assert parse(data).path


def test_what_is_composed_is_as_the_sdk_insists_on() -> None:
    text = compose("speech.phrase", "DA0D", {"Text": "ä"}, {"X-Extra": "1"})
    head, _, body = text.partition("\r\n\r\n")
    assert head.split("\r\n") == [
        "X-RequestId:DA0D",
        "Path:speech.phrase",
        "Content-Type:application/json; charset=utf-8",
        "X-Extra:1",
    ]
    assert body == '{"Text": "ä"}'
    assert compose("turn.end", "1", None).endswith("\r\n\r\n")
    assert parse(text).headers["x-extra"] == "1"
