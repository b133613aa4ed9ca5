"""Scripts: who says which sentence of a recording, and how it is to sound. Read from ``scripts/*.toml``."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePath
from typing import Final

from training.text.sentences import LANGUAGES

SCRIPT_FOLDER: Final = Path(__file__).parent / "scripts"
_CUT: Final = "~"
_CODECS: Final = {".wav": "pcm_s16le", ".flac": "flac", ".ogg": "libopus", ".webm": "libopus"}


class ScriptError(ValueError):
    """A script that cannot be used; the message says where and how to mend it."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """One voice: espeak-ng's variant of timbre, its rate in words per minute, its pitch, and where it is heard."""

    variant: str
    rate: int = 165
    pitch: int = 50
    channel: int = 0
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence to say; ``pattern`` is its key in ``training/text/patterns``.

    ``opening_only``: nothing but what stands before its first comma. ``facts`` are words that the sentence should hold
    if it can, in English.
    """

    speaker: str
    language: str
    pattern: str
    opening_only: bool = False
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """Music in the middle: after so many lines, for so long."""

    after: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Noise:
    """What else is heard; ``snr_db`` is absent where nobody speaks."""

    kind: str
    snr_db: float | None = None


@dataclass(frozen=True, slots=True)
class Agenda:
    """A meeting whose lines are drawn: so many sentences, by topic."""

    topics: tuple[str, ...]
    sentences: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording to make. Those with the tag ``demo`` ship in the wheel.

    ``pauses_ms`` are the shortest and the longest; below zero, somebody on another channel begins before the last
    speaker has finished. Without lines, ``seconds`` of ``noise`` or of silence are all there is. ``band`` is
    ``telephone``, or ``telephone mulaw`` for G.711's steps too. ``level_db`` is the level of speech, or of noise alone,
    in dBFS.
    """

    file: str
    title: str
    seed: int
    tags: tuple[str, ...] = ()
    speakers: Mapping[str, Speaker] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    pauses_ms: tuple[int, int] = (600, 1_100)
    hesitant: bool = False
    agenda: Agenda | None = None
    hold: Hold | None = None
    noise: Noise | None = None
    seconds: float = 0.0
    in_a_room: bool = False
    band: str = ""
    rate_hz: int = 16_000
    codec: str = "pcm_s16le"
    level_db: float = -26.0

    @property
    def channels(self) -> int:
        """Number of channels."""
        return 1 + max((speaker.channel for speaker in self.speakers.values()), default=0)


def load_scripts(folder: Path = SCRIPT_FOLDER) -> tuple[Recording, ...]:
    """Return all recordings of a folder, by file name and order.

    Raises:
        ScriptError: for the first one that is malformed.
    """
    recordings: dict[str, Recording] = {}
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for row in table["recording"]:
            recording = _parse(f"{path.name}, {row.get('file', 'a recording without a file')}", row)
            if recording.file in recordings:
                raise ScriptError(f"{path.name}: {recording.file} is there twice; rename one")
            recordings[recording.file] = recording
    seeds = [recording.seed for recording in recordings.values()]
    if len(set(seeds)) < len(seeds):
        raise ScriptError(f"seeds {sorted({seed for seed in seeds if seeds.count(seed) > 1})} are there twice")
    return tuple(recordings.values())


def _parse(where: str, row: Mapping[str, object]) -> Recording:
    values = dict(row)
    unknown = set(values) - {each.name for each in fields(Recording)}
    if unknown or not {"file", "title", "seed"} <= set(values):
        raise ScriptError(f"{where}: needs file, title and seed, and knows no {sorted(unknown)}")
    values["codec"] = values.get("codec") or _CODECS.get(PurePath(str(values["file"])).suffix)
    speakers = values.get("speakers", {})
    assert isinstance(speakers, dict)
    values["speakers"] = {name: Speaker(**each) for name, each in speakers.items()}
    for name, kind in (("hold", Hold), ("noise", Noise)):
        if isinstance(value := values.get(name), dict):
            values[name] = kind(**value)
    if isinstance(agenda := values.get("agenda"), dict):
        values["agenda"] = Agenda(tuple(agenda["topics"]), agenda["sentences"])
    for name in ("tags", "pauses_ms"):
        if isinstance(value := values.get(name), list):
            values[name] = tuple(value)
    lines = values.get("lines", [])
    assert isinstance(lines, list)
    values["lines"] = _lines(where, lines, speakers)
    return Recording(**values)  # type: ignore[arg-type]  # checked by name above; TOML gives the types


def _lines(where: str, lines: Sequence[str], speakers: Mapping[str, object]) -> tuple[Line, ...]:
    found = []
    for text in lines:
        said, _, facts = text.partition(" | ")
        speaker, language, pattern = said.split(" ", 2)
        if speaker not in speakers or language not in LANGUAGES:
            raise ScriptError(f"{where}: {text!r} must begin with a speaker and a language")
        opening_only = pattern.startswith(_CUT)
        wanted = tuple(facts.split(", ")) if facts else ()
        found.append(Line(speaker, language, pattern.removeprefix(_CUT), opening_only, wanted))
    return tuple(found)
