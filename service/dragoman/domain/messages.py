"""What a client says on a stream, beside audio: frozen models in a closed union."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from dragoman.domain.language import LidMode
from dragoman.domain.recognition import RecognitionOptions

Encoding = Literal["pcm_s16le", "pcm_f32le", "mulaw", "alaw", "wav", "webm", "ogg"]
"""How audio is encoded: bare samples, or a container that says the rest itself (WAV, WebM/Opus, Ogg/Opus)."""

CONTAINERS: Final = frozenset({"wav", "webm", "ogg"})


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_WIDTHS: Final[dict[str, int]] = {"pcm_s16le": 2, "pcm_f32le": 4, "mulaw": 1, "alaw": 1}


class AudioFormat(_Message):
    """Declared audio. Rate (Hz) and channels describe bare samples; a container brings its own."""

    encoding: Encoding = "pcm_s16le"
    sample_rate_hz: int = Field(default=16_000, ge=4_000, le=192_000)
    channels: int = Field(default=1, ge=1, le=8)

    @property
    def frame_bytes(self) -> int:
        """Return the bytes of one sample of every channel; only bare samples have such a number."""
        return _WIDTHS[self.encoding] * self.channels


Subject = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@=+-]{1,128}$")]
"""Whose data it is, by an opaque id of the application's. It is stored as a digest only (``store/digest.py``)."""

MOST_SUBJECTS: Final = 16


class SessionWishes(_Message):
    """What a session is asked to do. Without ``languages``, all of the engine's are candidates.

    ``insight`` is the language in which to say what follows; without it nobody does. ``polish`` has finals read again;
    the phrases of ``recognition`` are the words to expect.
    ``channel`` picks one channel, counted from 0; without it all are mixed. ``source`` names the audio for readers.
    ``subjects`` are the people whose data it is, to be erased together.
    """

    audio: AudioFormat = AudioFormat()
    languages: tuple[str, ...] | None = None
    lid: LidMode = LidMode.CONTINUOUS
    translate: tuple[str, ...] = ()
    word_times: bool = False
    recognition: RecognitionOptions = RecognitionOptions()
    insight: str | None = None
    polish: bool = False
    partials: bool = True
    channel: int | None = Field(default=None, ge=0, le=7)
    source: str | None = Field(default=None, max_length=200)
    subjects: tuple[Subject, ...] = Field(default=(), max_length=MOST_SUBJECTS)


class Configure(SessionWishes):
    """Begin a session: the first message of a new stream."""

    type: Literal["configure"] = "configure"


class Resume(_Message):
    """Go on with a session: the first message of another connection to it.

    Events after ``after_seq`` follow, then an ``audio.ack``; audio goes on from the sample that it names, encoded as
    ``audio`` says or as before. ``token`` is for who holds no key.
    """

    type: Literal["resume"] = "resume"
    session_id: str = Field(pattern=r"^s_[0-9a-f]{1,64}$")
    after_seq: int = Field(default=0, ge=0)
    token: str | None = Field(default=None, max_length=200)
    audio: AudioFormat | None = None


class ShowToken(_Message):
    """Show another key or token, before what was shown ends: a ``warning`` with code ``token_ending`` asks for it."""

    type: Literal["token"] = "token"
    token: str = Field(min_length=1, max_length=16_000, repr=False)


class FlushAudio(_Message):
    """Close the open utterance now."""

    type: Literal["flush"] = "flush"


class KeepAlive(_Message):
    """Keep a connection open on which no audio flows."""

    type: Literal["keepalive"] = "keepalive"


class EndAudio(_Message):
    """No more audio follows: hear what there is, say it, and end the session."""

    type: Literal["end"] = "end"


ClientMessage = Configure | Resume | ShowToken | FlushAudio | KeepAlive | EndAudio

_ADAPTER: Final[TypeAdapter[ClientMessage]] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


def parse_message(text: str | bytes) -> ClientMessage:
    """Return the message of a client.

    Raises:
        pydantic.ValidationError: if it is none.
    """
    return _ADAPTER.validate_json(text)
