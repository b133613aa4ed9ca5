"""What a folder says of its recordings, before anybody has heard them: a manifest, a table, or texts beside them."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from dragoman.datasets.dataset import MANIFEST
from dragoman.domain.errors import DatasetInvalidError

AUDIO_SUFFIXES: Final = frozenset(
    {".wav", ".flac", ".mp3", ".m4a", ".mp4", ".aac", ".ogg", ".opus", ".oga", ".webm", ".mka", ".mkv", ".mov"}
    | {".wma", ".amr", ".aif", ".aiff", ".caf", ".au"}
)

_TABLES: Final = {"transcripts.csv": ",", "transcripts.tsv": "\t", "transcripts.jsonl": None}
_SPEECH_TABLE: Final = "trans.txt"
"""Of Custom Speech: a file and its text per line, and no columns."""
_BEYOND: Final = "cells beyond the last column"
_OBJECT: Final[TypeAdapter[dict[str, JsonValue]]] = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class Draft:
    """A recording and what is said about it: fields of a ``RecordingItem``, of which any but ``file`` may be absent.

    An utterance may lack its times and its locale.
    """

    file: str
    given: Mapping[str, JsonValue]


class _Row(BaseModel):
    """A line of a table of transcripts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    text: str
    locale: str | None = None
    speaker: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    split: str | None = None
    subject: str | None = None
    session: str | None = None
    tenant: str | None = None


_OF_RECORDINGS: Final = ("split", "subject", "session", "tenant")
"""Columns that say something of a recording, in every row of it the same."""


def read_drafts(folder: Path) -> tuple[Draft, ...]:
    """Return what a folder says about the recordings in it.

    Its ``manifest.jsonl`` if it has one, else ``transcripts.csv``, ``.tsv`` or ``.jsonl``, else the ``trans.txt`` of a
    dataset of Custom Speech, else ``x.txt`` beside ``x.wav``. A recording that a table does not name has no utterances.

    Raises:
        DatasetInvalidError: if there are no recordings, or naming the line that is wrong.
    """
    manifest = folder / MANIFEST
    if manifest.is_file():
        return manifest_drafts(_text(manifest), str(manifest))
    found = [path.relative_to(folder).as_posix() for path in _recordings(folder)]
    table = next((folder / name for name in _TABLES if (folder / name).is_file()), None)
    if table is not None:
        return _from_rows(found, _rows(table))
    if (folder / _SPEECH_TABLE).is_file():
        return _from_rows(found, _pairs(folder / _SPEECH_TABLE))
    if not found:
        raise DatasetInvalidError(f"There are no recordings in '{folder}': no {MANIFEST} and no audio files.")
    return tuple(Draft(file, {"utterances": _beside(folder / file)}) for file in found)


def manifest_drafts(text: str, where: str) -> tuple[Draft, ...]:
    """Return what a manifest says; digests and durations may be absent.

    Raises:
        DatasetInvalidError: naming the line that is wrong.
    """
    drafts = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            given = _OBJECT.validate_json(line)
        except ValidationError as error:
            raise DatasetInvalidError(f"{where}, line {number}: it is no JSON object.") from error
        file = given.get("file")
        if not isinstance(file, str):
            raise DatasetInvalidError(f"{where}, line {number}: it names no 'file'.")
        drafts.append(Draft(file, given))
    if not drafts:
        raise DatasetInvalidError(f"{where} names no recordings.")
    return tuple(drafts)


def _recordings(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()]
    # Of macOS and of version control, not of the dataset.
    return sorted(path for path in found if not any(part[:1] == "." for part in path.relative_to(folder).parts))


def _beside(recording: Path) -> list[JsonValue]:
    transcript = recording.with_suffix(".txt")
    if not transcript.is_file():
        return []
    text = " ".join(_text(transcript).split())
    return [{"text": text}] if text else []


def _rows(table: Path) -> Iterator[_Row]:
    delimiter = _TABLES[table.name]
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            lines: Iterable[Mapping[str, object]] = (
                (json.loads(line) for line in file if line.strip())
                if delimiter is None
                else ({key: value for key, value in row.items() if value} for row in _table(file, delimiter))
            )
            for number, line in enumerate(lines, 1):
                try:
                    yield _Row.model_validate(line)
                except ValidationError as error:
                    first = error.errors()[0]
                    column = ".".join(map(str, first["loc"])) or "row"
                    known = ", ".join(_Row.model_fields)
                    raise DatasetInvalidError(
                        f"{table}, row {number}: '{column}': {first['msg']}. Columns are: {known}."
                    ) from error
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise DatasetInvalidError(f"'{table}' cannot be read: {error}") from error


def _pairs(table: Path) -> Iterator[_Row]:
    for number, line in enumerate(_text(table).splitlines(), 1):
        file, tab, text = line.partition("\t")
        if line.strip() and not (file and tab and text.strip()):
            raise DatasetInvalidError(f"{table}, line {number}: a file, a tab and its text are expected.")
        if line.strip():
            yield _Row(file=file, text=" ".join(text.split()))


def _table(file: Iterable[str], delimiter: str) -> Iterable[Mapping[str, str]]:
    if delimiter == "\t":  # quotation marks mean nothing in such corpora
        return csv.DictReader(file, restkey=_BEYOND, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.DictReader(file, restkey=_BEYOND)


def _from_rows(found: Sequence[str], rows: Iterable[_Row]) -> tuple[Draft, ...]:
    by_file: dict[str, list[_Row]] = {file: [] for file in found}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)
    return tuple(Draft(file, _given(file, said)) for file, said in by_file.items())


def _given(file: str, rows: Sequence[_Row]) -> dict[str, JsonValue]:
    given: dict[str, JsonValue] = {}
    for field in _OF_RECORDINGS:
        values = {value for row in rows if (value := getattr(row, field)) is not None}
        if len(values) > 1:
            raise DatasetInvalidError(f"'{file}' has several values of '{field}' in the table; a recording has one.")
        given |= dict.fromkeys([field], *values) if values else {}
    utterances: list[JsonValue] = [row.model_dump(exclude={"file", *_OF_RECORDINGS}, exclude_none=True) for row in rows]
    return {**given, "utterances": utterances}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetInvalidError(f"'{file}' is not UTF-8; save it as UTF-8.") from error
