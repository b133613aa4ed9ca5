"""Archives of recordings with their transcripts: written for Custom Speech, and read again before they leave.

Source: learn.microsoft.com, Speech service, "Training and testing datasets" (2024-09-19): RIFF, PCM of 16 bits, mono,
8 or 16 kHz; a zip of at most 2 GB and 10,000 files; 40 s per file to train with (30 s for Whisper), two hours to test
with.
"""

import io
import wave
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dragoman.datasets.exports.transcripts import BOM, has_bom
from dragoman.domain.errors import DatasetInvalidError

TRANSCRIPT: Final = "trans.txt"
TRAIN_MS: Final = 40_000
WHISPER_MS: Final = 30_000
TEST_MS: Final = 7_200_000

_RATES_HZ: Final = (8_000, 16_000)
_MS_PER_S: Final = 1_000


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How large one archive may be; all files count, the transcripts too."""

    max_bytes: int = 2_000_000_000
    max_files: int = 10_000


@dataclass(slots=True)
class SpeechArchives:
    """Archives of one language and part, ``STEM-001.zip`` and so on; ``close`` completes the last."""

    folder: Path
    stem: str
    locale: str
    limits: ArchiveLimits
    paths: list[tuple[Path, int]] = field(default_factory=list)
    _zip: zipfile.ZipFile | None = None
    _lines: list[str] = field(default_factory=list)
    _bytes: int = 0

    def add(self, name: str, pcm: bytes, rate_hz: int, text: str) -> None:
        """Add a recording (s16le, mono) and its transcript."""
        sound = _wav(pcm, rate_hz)
        line = f"{name}\t{text}\n"
        size = len(sound) + len(line.encode())
        if self._zip and (self._bytes + size > self.limits.max_bytes or len(self._lines) + 2 > self.limits.max_files):
            self.close()
        if self._zip is None:
            path = self.folder / f"{self.stem}-{len(self.paths) + 1:03}.zip"
            self._zip = zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED)
            self._bytes = len(BOM.encode())
        self._zip.writestr(name, sound)
        self._lines.append(line)
        self._bytes += size

    def close(self) -> None:
        """Write the transcripts of the archive that is open, if one is."""
        if self._zip is None:
            return
        with self._zip:
            mark = BOM if has_bom(self.locale) else ""
            self._zip.writestr(TRANSCRIPT, (mark + "".join(self._lines)).encode())
        assert self._zip.filename is not None
        self.paths.append((Path(self._zip.filename), len(self._lines)))
        self._zip, self._lines, self._bytes = None, [], 0


def inspect_archive(path: Path, locale: str, longest_ms: int, limits: ArchiveLimits) -> None:
    """Do nothing if an archive is what the page asks for.

    Raises:
        DatasetInvalidError: naming the file in it that is not.
    """
    with zipfile.ZipFile(path) as opened:
        names = opened.namelist()
        if len(names) > limits.max_files or sum(entry.file_size for entry in opened.infolist()) > limits.max_bytes:
            raise DatasetInvalidError(f"{path.name}: {len(names)} files of {path.stat().st_size} bytes are too much.")
        raw = opened.read(TRANSCRIPT)
        if raw.startswith(BOM.encode()) is not has_bom(locale):
            raise DatasetInvalidError(f"{path.name}: {TRANSCRIPT} has the wrong byte-order mark for {locale}.")
        lines = raw.decode("utf-8-sig").splitlines()
        named = [line.partition("\t")[0] for line in lines if line.count("\t") == 1 and line.rpartition("\t")[2]]
        if len(named) != len(lines) or sorted([*named, TRANSCRIPT]) != sorted(names):
            raise DatasetInvalidError(f"{path.name}: {TRANSCRIPT} and the recordings do not name each other once.")
        for name in named:
            with opened.open(name) as file, wave.open(file) as sound:
                duration_ms = sound.getnframes() * _MS_PER_S // sound.getframerate()
                shape = sound.getnchannels(), sound.getsampwidth(), sound.getcomptype()
                if shape != (1, 2, "NONE") or sound.getframerate() not in _RATES_HZ or duration_ms > longest_ms:
                    raise DatasetInvalidError(f"{path.name}: {name} is no mono PCM of 16 bits, or too long.")


def _wav(pcm: bytes, rate_hz: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(pcm)
    return file.getvalue()
