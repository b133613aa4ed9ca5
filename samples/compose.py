"""Composes ``mixed_call.wav`` from sentences of the four calls, and brings ``manifest.jsonl`` up to date.

The calls were spoken by espeak-ng 1.51 (two voices each). Run from anywhere: ``python samples/compose.py``.
"""

import hashlib
import json
import wave
from pathlib import Path
from typing import Final

AUDIO: Final = Path(__file__).parent / "audio"
MANIFEST: Final = AUDIO / "manifest.jsonl"
MIXED: Final = "mixed_call.wav"
RATE_HZ: Final = 16_000
PAUSE_MS: Final = 700
MARGIN_MS: Final = 60  # kept around a sentence, so that no sound is cut off

# Which sentences of which call, counted from 0; the language changes from line to line.
SCRIPT: Final = (
    ("en_call.wav", (0, 1, 3)),
    ("es_call.wav", (4, 5, 9)),
    ("de_call.wav", (8, 10, 13)),
    ("fr_call.wav", (11, 12, 14)),
    ("en_call.wav", (15,)),
)

Utterance = dict[str, object]
Entry = dict[str, object]


def main() -> None:
    """Write the recording and the manifest."""
    entries: dict[str, Entry] = {}
    for line in MANIFEST.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        entries[entry["file"]] = entry
    entries[MIXED] = _compose(entries)
    for name, entry in entries.items():
        entry["sha256"] = hashlib.sha256((AUDIO / name).read_bytes()).hexdigest()
    lines = (json.dumps(entry, ensure_ascii=False) for entry in entries.values())
    MANIFEST.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _compose(entries: dict[str, Entry]) -> Entry:
    pause = bytes(2 * RATE_HZ * PAUSE_MS // 1000)
    pcm = bytearray(pause)
    utterances: list[Utterance] = []
    spans: list[dict[str, object]] = []
    for name, picks in SCRIPT:
        call = _read(AUDIO / name)
        start_ms = _ms(pcm)
        for pick in picks:
            sentence = entries[name]["utterances"][pick]  # type: ignore[index]  # our own manifest
            cut_from_ms, cut_to_ms = sentence["start_ms"] - MARGIN_MS, sentence["end_ms"] + MARGIN_MS
            shift_ms = _ms(pcm) - cut_from_ms
            utterances.append(_shifted(sentence, shift_ms))
            pcm += call[_byte(cut_from_ms) : _byte(cut_to_ms)] + pause
        spans.append({"start_ms": start_ms, "end_ms": _ms(pcm), "locale": utterances[-1]["locale"]})
    with wave.open(str(AUDIO / MIXED), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(bytes(pcm))
    return {
        "file": MIXED,
        "title": "A call that changes its language four times",
        "duration_ms": _ms(pcm),
        "license": entries["en_call.wav"]["license"],
        "source": "sentences of the other calls, composed by samples/compose.py",
        "spans": spans,
        "utterances": utterances,
    }


def _shifted(sentence: Utterance, shift_ms: int) -> Utterance:
    moved = json.loads(json.dumps(sentence))
    moved["start_ms"] += shift_ms
    moved["end_ms"] += shift_ms
    for word in moved["words"]:
        word["start_ms"] += shift_ms
    return dict(moved)


def _read(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return bytes(file.readframes(file.getnframes()))


def _ms(pcm: bytes | bytearray) -> int:
    return len(pcm) // 2 * 1000 // RATE_HZ


def _byte(ms: int) -> int:
    return 2 * (ms * RATE_HZ // 1000)


if __name__ == "__main__":
    main()
