"""OpenAI's own client at our door, over a real socket."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.audio import (
    TranscriptionStreamEvent,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
    TranslationVerbose,
)

from dragoman.runtime import Runtime
from dragoman.settings import read_settings
from tests.api.server import ServerProcess
from tests.api.test_app import Server
from tests.api.test_doorkeeper import made
from tests.calls import AUDIO, call

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(Runtime(read_settings(data=tmp_path_factory.mktemp("data")))) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[OpenAI]:
    with connected(server.port) as client:
        yield client


def connected(port: int, key: str = "none") -> OpenAI:
    return OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0, timeout=60)


# The client calls translations deprecated, because OpenAI will end its model; they still work, and clients use them.
ended_at_openai = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")


def truth(name: str) -> list[str]:
    return [sentence.text for sentence in call(name).sentences]


def english(name: str) -> list[str]:
    return [sentence.english or sentence.text for sentence in call(name).sentences]


def most(wanted: list[str], text: str) -> bool:
    """Return whether most of the sentences are in a text: the bundled model is not always right."""
    return sum(sentence in text for sentence in wanted) >= 2 * len(wanted) // 3


def test_a_file_is_transcribed_and_the_session_is_kept(server: Server, client: OpenAI) -> None:
    heard = client.audio.transcriptions.create(file=call("en").path, model="whisper-1")
    assert most(truth("en"), heard.text)
    assert heard.usage is not None
    assert heard.usage.type == "duration"
    assert heard.usage.seconds == pytest.approx(len(call("en").pcm()) / 32_000, abs=0.01)
    assert heard.languages is not None
    assert [each.code for each in heard.languages] == ["en"]
    session_id = heard._request_id
    assert session_id is not None
    status, kept = server.request("GET", f"/v1/transcripts/{session_id}")
    assert status == 200
    document = json.loads(kept)
    assert document["source"] == "en_call.wav"
    assert " ".join(each["text"] for each in document["utterances"] if each["text"]) == heard.text


@pytest.mark.parametrize("name", ["gpt-4o-transcribe", "gpt-transcribe", "anything"])
def test_any_model_may_be_named(client: OpenAI, name: str) -> None:
    assert client.audio.transcriptions.create(file=("es.wav", call("es").path.read_bytes()), model=name).text


@pytest.mark.parametrize(("name", "beginning"), [("text", ""), ("srt", "1\n00:00:"), ("vtt", "WEBVTT\n")])
def test_texts_and_captions_come_as_strings(client: OpenAI, name: str, beginning: str) -> None:
    with call("fr").path.open("rb") as file:
        heard: object = client.audio.transcriptions.create(file=file, model="whisper-1", response_format=name)  # type: ignore[call-overload]  # one call for three overloads
    assert isinstance(heard, str)
    assert heard.startswith(beginning)
    assert most(truth("fr"), heard.replace("\n", " "))


def test_verbose_json_has_all_that_its_type_asks_for(client: OpenAI) -> None:
    heard = client.audio.transcriptions.create(
        file=call("de").path, model="whisper-1", language="de", response_format="verbose_json"
    )
    again = TranscriptionVerbose.model_validate_json(heard.model_dump_json())  # the client itself checks nothing
    assert (again.language, again.words) == ("german", None)
    assert again.duration == pytest.approx(len(call("de").pcm()) / 32_000, abs=0.01)
    assert again.segments is not None
    assert [segment.id for segment in again.segments] == list(range(len(again.segments)))
    assert " ".join(segment.text for segment in again.segments) == again.text
    assert all(segment.start < segment.end <= again.duration for segment in again.segments)
    assert all(segment.avg_logprob < 0 for segment in again.segments)
    assert all(0 < segment.compression_ratio < 2.4 for segment in again.segments)
    assert {(segment.temperature, segment.no_speech_prob, *segment.tokens) for segment in again.segments} == {(0, 0)}


def test_words_have_times_when_they_are_asked_for(client: OpenAI) -> None:
    heard = client.audio.transcriptions.create(
        file=call("en").path,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    assert heard.segments is None
    assert heard.words is not None
    assert [word.word.strip() for word in heard.words] == heard.text.split()
    assert all(word.start <= word.end for word in heard.words)
    both = client.audio.transcriptions.create(
        file=call("en").path,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert both.segments
    assert both.words == heard.words


def test_the_language_is_one_candidate_and_languages_are_several(client: OpenAI) -> None:
    mixed = call("mixed").path
    forced = client.audio.transcriptions.create(file=mixed, model="gpt-transcribe", language="en")
    free = client.audio.transcriptions.create(file=mixed, model="gpt-transcribe", languages=["en", "es-MX", "de", "fr"])
    assert forced.languages is not None
    assert free.languages is not None
    assert [each.code for each in forced.languages] == ["en"]
    assert {each.code for each in free.languages} == {locale.partition("-")[0] for locale in call("mixed").locales}
    assert most(truth("mixed"), free.text)


def test_silence_is_nothing_and_no_language_is_made_up(client: OpenAI) -> None:
    silent = AUDIO / "silence.flac"
    heard = client.audio.transcriptions.create(file=silent, model="whisper-1", response_format="verbose_json")
    assert (heard.text, heard.segments, heard.language) == ("", [], "unknown")
    named = client.audio.transcriptions.create(
        file=silent, model="whisper-1", response_format="verbose_json", language="fr"
    )
    assert named.language == "french"


def checked_stream(told: list[TranscriptionStreamEvent]) -> str:
    """Return the whole text, which the deltas make."""
    *deltas, done = told
    assert isinstance(done, TranscriptionTextDoneEvent)
    assert all(isinstance(delta, TranscriptionTextDeltaEvent) for delta in deltas)
    assert "".join(delta.delta for delta in deltas if isinstance(delta, TranscriptionTextDeltaEvent)) == done.text
    assert len(deltas) > 1
    return done.text


def test_text_is_streamed(client: OpenAI) -> None:
    with client.audio.transcriptions.create(file=call("es").path, model="gpt-4o-transcribe", stream=True) as stream:
        assert most(truth("es"), checked_stream(list(stream)))


def test_what_breaks_a_stream_is_raised(client: OpenAI) -> None:
    with (
        client.audio.transcriptions.create(
            file=("a.wav", b"RIFF no audio"), model="gpt-4o-transcribe", stream=True
        ) as told,
        pytest.raises(openai.APIError) as failure,
    ):
        list(told)
    assert failure.value.code == "audio_unreadable"


@ended_at_openai
def test_the_asynchronous_client_does_the_same(server: Server) -> None:
    async def run() -> tuple[str, str, str]:
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0) as client:
            heard, translated = await asyncio.gather(
                client.audio.transcriptions.create(file=call("fr").path, model="whisper-1"),
                client.audio.translations.create(file=call("fr").path, model="whisper-1"),
            )
            stream = await client.audio.transcriptions.create(file=call("fr").path, model="gpt-4o", stream=True)
            async with stream:
                told = [event async for event in stream]
            return heard.text, translated.text, checked_stream(told)

    heard, translated, streamed = asyncio.run(run())
    assert heard == streamed
    assert most(english("fr"), translated)


@ended_at_openai
def test_speech_is_translated_into_english(client: OpenAI) -> None:
    audio = call("mixed").path
    said = client.audio.translations.create(file=audio, model="whisper-1")
    assert most(english("mixed"), said.text)
    text: object = client.audio.translations.create(file=audio, model="whisper-1", response_format="text")
    assert text == said.text + "\n"
    verbose = client.audio.translations.create(file=audio, model="whisper-1", response_format="verbose_json")
    again = TranslationVerbose.model_validate_json(verbose.model_dump_json())
    assert again.language == "english"
    assert " ".join(segment.text for segment in again.segments or ()) == said.text
    for name, beginning in (("srt", "1\n00:00:"), ("vtt", "WEBVTT\n")):
        captions: object = client.audio.translations.create(file=audio, model="whisper-1", response_format=name)  # type: ignore[call-overload]  # one call for two overloads
        assert isinstance(captions, str)
        assert captions.startswith(beginning)
        assert most(english("mixed"), captions.replace("\n", " "))


@pytest.mark.parametrize(
    ("audio", "options", "param", "code"),
    [
        (b"no audio", {}, "file", "audio_unreadable"),
        (b"", {}, "file", "audio_empty"),
        (b"", {"language": "xx"}, "language", "locale_invalid"),
        (b"", {"language": "it"}, "language", "language_unsupported"),
        (b"", {"response_format": "diarized_json"}, "response_format", "request_invalid"),
        (b"", {"response_format": "srt", "stream": True}, "stream", "request_invalid"),
        (b"", {"temperature": 2}, "temperature", "request_invalid"),
    ],
)
def test_a_bad_request_says_what_is_wrong_with_which_field(
    client: OpenAI, audio: bytes, options: dict[str, object], param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.transcriptions.create(file=("a.wav", audio), model="whisper-1", **options)  # type: ignore[call-overload]  # wrong on purpose
    error = refused.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert error.response.headers["x-should-retry"] == "false"


def test_what_is_not_here_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.audio.speech.create(input="Good morning.", model="tts-1", voice="alloy")


def test_a_busy_server_says_when_to_come_again(client: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "delay_s", 1.5)
    with pytest.raises(openai.RateLimitError) as refused:
        client.audio.transcriptions.create(file=call("en").path, model="whisper-1")
    assert (refused.value.code, refused.value.response.headers["retry-after"]) == ("capacity", "5")


def test_the_key_of_the_client_is_ours(tmp_path: Path) -> None:
    key = made(tmp_path / "data")
    with ServerProcess(tmp_path / "data") as server:
        with connected(server.port, key) as client:
            assert client.audio.transcriptions.create(file=call("en").path, model="whisper-1").text
        wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
        with connected(server.port, wrong) as client, pytest.raises(openai.AuthenticationError) as refused:
            client.audio.transcriptions.create(file=call("en").path, model="whisper-1")
        assert refused.value.code == "key_refused"
