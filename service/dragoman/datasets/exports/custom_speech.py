"""Recordings with what is said in them → datasets of Custom Speech: archives, plain text, pronunciations.

Source: learn.microsoft.com, Speech service, "Training and testing datasets" (2024-09-19). What it says of archives and
of transcripts stands in ``speech_archive`` and ``transcripts``.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from dragoman.audio.decode import open_audio
from dragoman.audio.pcm import to_float
from dragoman.audio.resample import StreamingResampler
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.exports.outcome import Exported, LeftOut, Part, Reason, Written, part_of, written
from dragoman.datasets.exports.speech_archive import (
    TEST_MS,
    TRAIN_MS,
    ArchiveLimits,
    SpeechArchives,
    inspect_archive,
)
from dragoman.datasets.exports.stretches import Stretch, cut
from dragoman.datasets.exports.transcripts import BOM, UnfitError, as_related_text, as_transcript
from dragoman.datasets.items import RecordingItem
from dragoman.datasets.leakage import seen_in
from dragoman.datasets.texts import normalized
from dragoman.domain.audio import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, AudioFrame, to_samples
from dragoman.domain.errors import DragomanError
from dragoman.domain.language import base_language

_TELEPHONE_HZ: Final = 8_000
_TEXT_BYTES: Final = 200_000_000
_PRONUNCIATION_BYTES: Final = 1_000_000
_LINES: Final = 20_000
"""In Japanese and Korean: more may time out."""

_SLOW: Final = ("ja", "ko")
_SHORT: Final = 1_800_000
"""Milliseconds: "even as little as 30 minutes can help"."""


@dataclass(frozen=True, slots=True)
class SpeechWishes:
    """How to export. ``pronunciations`` are pairs of what is written and what is spoken, by locale."""

    longest_ms: int = TRAIN_MS
    avoided: tuple[Dataset, ...] = ()
    pronunciations: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)


async def export_custom_speech(
    dataset: Dataset, folder: Path, wishes: SpeechWishes, on_done: Callable[[str], None] = lambda _: None
) -> Exported:
    """Write a dataset into a folder, per language and part; ``on_done`` hears of each recording.

    Raises:
        DatasetInvalidError: if nobody can tell what a split is for.
        SourceFailedError: if the folder cannot be written.
    """
    run = _Run(folder, wishes)
    planned, left_out = _plan(dataset, wishes)
    run.left_out += left_out
    for item in dataset.recordings:
        if found := planned.get(item.id):
            await run.take(dataset, item, found)
        on_done(item.id)
    run.write_texts()
    run.write_pronunciations()
    return run.result()


def _plan(dataset: Dataset, wishes: SpeechWishes) -> tuple[dict[str, list[tuple[Stretch, str]]], list[LeftOut]]:
    """Return the stretches of every recording with their transcripts, and what is left out."""
    left_out: list[LeftOut] = []
    planned: dict[str, list[tuple[Stretch, str]]] = {}
    known = {item.sha256: evaluation for evaluation in wishes.avoided for item in evaluation.recordings}
    said = (each.text for item in dataset.recordings for each in item.utterances)
    seen = seen_in(said, wishes.avoided)
    for item in dataset.recordings:
        part = part_of(item.split)
        if part is not Part.TEST and item.sha256 in known:
            left_out.append(LeftOut(item.id, Reason.EVALUATION, f"it is in {known[item.sha256].reference}"))
            continue
        stretches, unfit = cut(item, wishes.longest_ms if part is Part.TRAIN else TEST_MS)
        left_out += unfit
        for stretch in stretches:
            if part is not Part.TEST and (source := seen.get(normalized(stretch.text))):
                left_out.append(LeftOut(stretch.where, Reason.EVALUATION, f"it shares a text with {source}"))
                continue
            try:
                planned.setdefault(item.id, []).append((stretch, as_transcript(stretch.text, stretch.locale)))
            except UnfitError as error:
                left_out.append(LeftOut(stretch.where, error.reason, error.why))
    return planned, left_out


class _Run:
    """What is being written."""

    def __init__(self, folder: Path, wishes: SpeechWishes) -> None:
        self._folder = folder
        self._wishes = wishes
        self._archives: dict[tuple[str, Part], SpeechArchives] = {}
        self._texts: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._audio_ms: defaultdict[tuple[str, Part], int] = defaultdict(int)
        self._files: list[Written] = []
        self.left_out: list[LeftOut] = []

    async def take(self, dataset: Dataset, item: RecordingItem, planned: Sequence[tuple[Stretch, str]]) -> None:
        part = part_of(item.split)
        rate_hz = _TELEPHONE_HZ if (item.sample_rate_hz or SAMPLE_RATE_HZ) <= _TELEPHONE_HZ else SAMPLE_RATE_HZ
        for channel in sorted({stretch.channel for stretch, _ in planned}, key=lambda each: each or 0):
            ours = [each for each in planned if each[0].channel == channel]
            try:
                sounds = await _sounds(dataset.path(item), channel, [stretch for stretch, _ in ours])
            except DragomanError as error:
                self.left_out.append(LeftOut(item.id, Reason.AUDIO, str(error)))
                return
            for (stretch, text), pcm in zip(ours, sounds, strict=True):
                self._archive(stretch.locale, part).add(_name(item, stretch), _at(pcm, rate_hz), rate_hz, text)
                self._audio_ms[stretch.locale, part] += stretch.end_ms - stretch.start_ms
                if part is Part.TRAIN:
                    self._texts[stretch.locale].setdefault(stretch.text)

    def write_texts(self) -> None:
        """Write every text of the part for training once, as plain-text data."""
        for locale, texts in sorted(self._texts.items()):
            lines: dict[str, None] = {}
            for text in texts:
                try:
                    lines.setdefault(as_related_text(text, locale))
                except UnfitError as error:
                    self.left_out.append(LeftOut(f"{locale} related text", error.reason, error.why))
            most = _LINES if base_language(locale) in _SLOW else None
            self._write_lines(f"{locale}-related-text", list(lines), _TEXT_BYTES, most)

    def write_pronunciations(self) -> None:
        """Write how words are spoken that are written in no way that tells."""
        for locale, pairs in sorted(self._wishes.pronunciations.items()):
            lines = []
            for shown, spoken in dict(pairs).items():
                if shown.strip() and spoken.strip() and "\t" not in shown + spoken:
                    lines.append(f"{shown.strip()}\t{' '.join(spoken.split())}")
                else:
                    self.left_out.append(
                        LeftOut(
                            f"{locale} pronunciation {shown!r}", Reason.SHAPE, "it is no pair of written and spoken"
                        )
                    )
            self._write_lines(f"{locale}-pronunciation", lines, _PRONUNCIATION_BYTES, None)

    def result(self) -> Exported:
        notes = []
        for (locale, part), archives in sorted(self._archives.items()):
            archives.close()
            longest_ms = self._wishes.longest_ms if part is Part.TRAIN else TEST_MS
            for path, entries in archives.paths:
                inspect_archive(path, locale, longest_ms, self._wishes.limits)
                self._files.append(written(self._folder, path, entries))
            if self._audio_ms[locale, part] < _SHORT:
                minutes = self._audio_ms[locale, part] / 60_000
                notes.append(f"{locale}, {part}: {minutes:.1f} minutes of audio; half an hour is the least that helps.")
            if part is not Part.TRAIN and len(archives.paths) > 1:
                notes.append(f"{locale}, {part}: a test reads one dataset, and these are {len(archives.paths)}.")
        return Exported(tuple(sorted(self._files, key=lambda file: file.file)), tuple(self.left_out), tuple(notes))

    def _archive(self, locale: str, part: Part) -> SpeechArchives:
        if (locale, part) not in self._archives:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._archives[locale, part] = SpeechArchives(self._folder, f"{locale}-{part}", locale, self._wishes.limits)
        return self._archives[locale, part]

    def _write_lines(self, stem: str, lines: Sequence[str], most_bytes: int, most_lines: int | None) -> None:
        pages: list[list[str]] = [[]]
        size = len(BOM.encode())
        for line in lines:
            size += len(line.encode()) + 1
            if pages[-1] and (size > most_bytes or len(pages[-1]) == most_lines):
                pages.append([])
                size = len(BOM.encode()) + len(line.encode()) + 1
            pages[-1].append(line)
        for number, page in enumerate(pages, 1):
            if page:
                path = self._folder / (f"{stem}.txt" if len(pages) == 1 else f"{stem}-{number:03}.txt")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(BOM + "".join(f"{line}\n" for line in page), encoding="utf-8", newline="\n")
                self._files.append(written(self._folder, path, len(page)))


async def _sounds(path: Path, channel: int | None, stretches: Sequence[Stretch]) -> list[bytes]:
    """Return the PCM (16 kHz) of stretches, which are in order of time; the recording is decoded once."""
    spans = [(to_samples(stretch.start_ms), to_samples(stretch.end_ms)) for stretch in stretches]
    sounds = [bytearray() for _ in spans]
    at = 0  # before it, all stretches are complete
    async with open_audio(path, channel=channel) as audio:
        async for frame in audio:
            if not isinstance(frame, AudioFrame):
                continue
            while at < len(spans) and spans[at][1] <= frame.start:
                at += 1
            for (first, last), sound in zip(spans[at:], sounds[at:], strict=True):
                if first >= frame.end:
                    break
                begin, end = max(first, frame.start) - frame.start, min(last, frame.end) - frame.start
                sound += frame.pcm[begin * SAMPLE_WIDTH_BYTES : max(begin, end) * SAMPLE_WIDTH_BYTES]
    return [bytes(sound) for sound in sounds]


def _at(pcm: bytes, rate_hz: int) -> bytes:
    """Return PCM of 16 kHz at another rate. What came over a telephone gains nothing by being stored as wideband."""
    if rate_hz == SAMPLE_RATE_HZ:
        return pcm
    resampler = StreamingResampler(SAMPLE_RATE_HZ, rate_hz)
    return resampler.push(to_float(pcm)) + resampler.flush()


def _name(item: RecordingItem, stretch: Stretch) -> str:
    """Return a name that no other stretch has, in plain letters, and in which one sees the recording."""
    plain = re.sub("[^A-Za-z0-9]+", "-", item.file.rpartition("/")[2].rpartition(".")[0]).strip("-")[:40]
    mark = sha256(f"{item.file}\0{stretch.channel}".encode()).hexdigest()[:8]
    return f"{plain or 'recording'}-{mark}-{stretch.start_ms:08}.wav"
