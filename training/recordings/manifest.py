"""The truth about recordings, as ``manifest.jsonl`` states it: one JSON object per line."""

import hashlib
import json
from itertools import groupby
from pathlib import Path

from training.acoustics import SAMPLE_RATE_HZ
from training.recordings.script import Recording
from training.recordings.take import Take, Utterance, voice
from training.speech.voices import HELD_OUT_EXOTIC, HELD_OUT_ORDINARY
from training.text.sentences import LANGUAGES

LOCALES = {"en": "en-US", "es": "es-ES", "de": "de-DE", "fr": "fr-FR"}

Entry = dict[str, object]


def entry(recording: Recording, take: Take, path: Path) -> Entry:
    """Return what is true of a recording that lies at ``path``; all times are milliseconds from its first sample."""
    duration = take.audio.shape[1]
    voices = sorted({_voice(recording, each) for each in take.utterances})
    spoken = f"espeak-ng 1.52, {', '.join(voices)}" if voices else "synthesised without speech"
    return {
        "file": recording.file,
        "title": recording.title,
        "tags": list(recording.tags),
        "duration_ms": _ms(duration),
        "sample_rate_hz": recording.rate_hz,
        "channels": recording.channels,
        "license": "CC0-1.0",
        "source": spoken,
        "seed": recording.seed,
        "command": f"python -m training.recordings {recording.file}",
        "held_out": [name for name in voices if name.rpartition("+")[2] in {*HELD_OUT_ORDINARY, *HELD_OUT_EXOTIC}],
        "noise": _noise(recording, take),
        "band": recording.band.partition(" ")[0] or None,
        "spans": [span for channel in range(recording.channels) for span in _spans(recording, take, channel)],
        "utterances": [_utterance(recording, each) for each in take.utterances],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def read_manifest(path: Path) -> dict[str, Entry]:
    """Return the entries by file name; none where there is no manifest yet."""
    if not path.exists():
        return {}
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {entry["file"]: entry for entry in entries}


def write_manifest(path: Path, entries: list[Entry]) -> None:
    """Write the entries, one per line."""
    lines = (json.dumps(entry, ensure_ascii=False) for entry in entries)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _noise(recording: Recording, take: Take) -> Entry | None:
    start, end = take.hold or (0, take.audio.shape[1])
    if take.hold:
        return {"kind": "music", "snr_db": None, "start_ms": _ms(start), "end_ms": _ms(end)}
    if recording.noise is None:
        return None
    return {
        "kind": recording.noise.kind,
        "snr_db": recording.noise.snr_db,
        "start_ms": _ms(start),
        "end_ms": _ms(end),
    }


def _spans(recording: Recording, take: Take, channel: int) -> list[Entry]:
    """Return the languages of a channel in order: each reaches from its first utterance to the next one's."""
    said = [each for each in take.utterances if each.channel == channel]
    firsts = [next(group) for _, group in groupby(said, key=lambda each: each.cue.language)]
    starts = [0, *(first.start for first in firsts[1:])]
    ends = [*starts[1:], take.audio.shape[1]]
    return [
        {
            "start_ms": _ms(start),
            "end_ms": _ms(end),
            "locale": LOCALES[first.cue.language],
            **_channel(recording, first),
        }
        for first, start, end in zip(firsts, starts, ends, strict=False)
    ]


def _utterance(recording: Recording, said: Utterance) -> Entry:
    language = said.cue.language
    return {
        "start_ms": _ms(said.start),
        "end_ms": _ms(said.end),
        "speaker": said.cue.speaker,
        **_channel(recording, said),
        "locale": LOCALES[language],
        "text": said.cue.text(language),
        "translations": {other: said.cue.text(other) for other in LANGUAGES if other != language},
        "split": said.cue.split,
        "words": [{"text": word.text, "start_ms": _ms(word.start), "end_ms": _ms(word.end)} for word in said.words],
    }


def _channel(recording: Recording, said: Utterance) -> Entry:
    return {"channel": said.channel} if recording.channels > 1 else {}


def _voice(recording: Recording, said: Utterance) -> str:
    return voice(said.cue.language, recording.speakers[said.cue.speaker]).name


def _ms(samples: int) -> int:
    return round(samples * 1000 / SAMPLE_RATE_HZ)
