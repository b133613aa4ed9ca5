"""A transcript in the formats that people and players read: text, SRT, WebVTT, TSV, JSON."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dragoman.pipeline.minutes import minutes
from dragoman.pipeline.transcript import Transcript, Utterance

LINE_CHARS: Final = 42
"""Longest caption line, and two lines at most per cue: BBC and Netflix guidelines agree on both."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption on the screen, of one line or two, and who speaks, if known; times in milliseconds."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None


def cues(transcript: Transcript, target: str | None = None) -> Iterator[Cue]:
    """Yield captions in the language spoken, or translated into ``target``.

    Utterances without that translation keep their own text if they are in the target language, else are left out.
    Long ones are split; word times place the parts where they are known, otherwise their length does.
    """
    for utterance in transcript.utterances:
        text = utterance.text if target is None else _translated(utterance, target)
        if text:
            yield from _split(utterance, text, by_words=target is None)


def to_text(transcript: Transcript) -> str:
    """Return the utterances as lines, and what follows from them."""
    insight = f"\n{minutes(transcript.insight)}" if transcript.insight else ""
    return "".join(map(utterance_lines, transcript.utterances)) + insight


def utterance_lines(utterance: Utterance) -> str:
    """Return one line with time, speaker, locale and text; below it how it should read, and one per translation."""
    channel = "" if utterance.channel is None else f"channel {utterance.channel}  "
    speaker = f"{utterance.speaker}  " if utterance.speaker else ""
    head = f"[{_clock(utterance.start_ms)} → {_clock(utterance.end_ms)}]  {channel}{speaker}{utterance.locale}  "
    translations = [
        f"{f'→ {target}  ':>{len(head)}}{text}\n" for target, text in utterance.translations.items() if text
    ]
    reads = [f"{'reads  ':>{len(head)}}{utterance.polished}\n"] if utterance.polished else []
    return "".join([f"{head}{utterance.text}\n", *reads, *translations])


def to_srt(transcript: Transcript, target: str | None = None) -> str:
    """Return SubRip captions."""
    return "\n".join(
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues(transcript, target), 1)
    )


def to_vtt(transcript: Transcript, target: str | None = None) -> str:
    """Return WebVTT captions."""
    blocks = (
        f"\n{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{_voice(cue)}{_escape(cue.text)}\n"
        for cue in cues(transcript, target)
    )
    return "WEBVTT\n" + "".join(blocks)


def to_tsv(transcript: Transcript) -> str:
    """Return a table with a header; times in milliseconds, one column per target language."""
    header = ["start_ms", "end_ms", "channel", "speaker", "locale", "text", *transcript.targets]
    rows = [
        [
            str(utterance.start_ms),
            str(utterance.end_ms),
            "" if utterance.channel is None else str(utterance.channel),
            utterance.speaker or "",
            utterance.locale,
            utterance.text,
            *(utterance.translations.get(target) or "" for target in transcript.targets),
        ]
        for utterance in transcript.utterances
    ]
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in (header, *rows))


def to_json(transcript: Transcript) -> str:
    """Return the whole document as JSON."""
    return transcript.model_dump_json(indent=2) + "\n"


FORMATS: Final[Mapping[str, Callable[[Transcript], str]]] = MappingProxyType(
    {"text": to_text, "json": to_json, "srt": to_srt, "vtt": to_vtt, "tsv": to_tsv}
)
"""Every format of a whole transcript, by name."""

CAPTIONS: Final[Mapping[str, Callable[[Transcript, str | None], str]]] = MappingProxyType(
    {"srt": to_srt, "vtt": to_vtt}
)
"""The formats that hold one language at a time."""


def _translated(utterance: Utterance, target: str) -> str | None:
    if target in utterance.translations:
        return utterance.translations[target]
    return utterance.text if utterance.locale.partition("-")[0] == target.partition("-")[0] else None


def _split(utterance: Utterance, text: str, *, by_words: bool) -> Iterator[Cue]:
    lines = _wrap(text)
    parts = ["\n".join(lines[at : at + 2]) for at in range(0, len(lines), 2)]
    if not parts:
        return
    starts = _starts_of_words(utterance, parts) if by_words else None
    starts = starts or _starts_by_length(utterance, parts)
    for part, start_ms, end_ms in zip(parts, starts, [*starts[1:], utterance.end_ms], strict=True):
        yield Cue(start_ms, end_ms, part, utterance.speaker)


def _starts_by_length(utterance: Utterance, parts: list[str]) -> list[int]:
    total = sum(map(len, parts))
    length_ms = utterance.end_ms - utterance.start_ms
    return [utterance.start_ms + length_ms * chars // total for chars in _before(parts)]


def _starts_of_words(utterance: Utterance, parts: list[str]) -> list[int] | None:
    """Return when the first word of each part is spoken, if the words are those of the text."""
    words = ["".join(word.text.split()) for word in utterance.words]
    letters = ["".join(part.split()) for part in parts]
    if sum(map(len, words)) != sum(map(len, letters)):
        return None
    places = dict(zip(_before(words), utterance.words, strict=True))
    firsts = [places.get(chars) for chars in _before(letters)]
    # A part that begins within a word, in a language that writes without spaces, has no time of its own.
    return None if None in firsts else [utterance.start_ms, *(word.start_ms for word in firsts[1:] if word)]


def _before(parts: list[str]) -> list[int]:
    """Return how many characters come before each part."""
    return [sum(map(len, parts[:index])) for index in range(len(parts))]


def _wrap(text: str) -> list[str]:
    """Break a text into lines, at spaces, and within a word only if it alone is too wide, as without spaces."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and _columns(f"{line} {word}") > LINE_CHARS:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
        while _columns(line) > LINE_CHARS:
            fits = max(at for at in range(1, len(line)) if _columns(line[:at]) <= LINE_CHARS)
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines


def _columns(text: str) -> int:
    """Return how wide a text is, where a wide character (Chinese, Japanese, Korean) takes two columns."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _voice(cue: Cue) -> str:
    return f"<v {_escape(cue.speaker)}>" if cue.speaker else ""


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(ms: int, mark: str = ".") -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{ms:03}"
