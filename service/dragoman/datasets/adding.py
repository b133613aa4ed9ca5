"""From what a folder says of its recordings to a dataset in the store: every recording is decoded once."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue, ValidationError

from dragoman.audio.decode import AudioInfo, open_audio
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.drafts import Draft
from dragoman.datasets.items import Card, RecordingItem
from dragoman.datasets.objects import Objects, sha256_of
from dragoman.datasets.paths import check_recording
from dragoman.datasets.store import DatasetStore, Kept
from dragoman.domain.audio import AudioFrame, to_ms
from dragoman.domain.errors import DatasetInvalidError, DragomanError, LocaleError
from dragoman.domain.language import parse_locale
from dragoman.domain.validation import first_problem

_AT_ONCE: Final = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Broken:
    """A recording that was not taken, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a source."""

    kept: Kept
    broken: tuple[Broken, ...]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for recordings about which their source says nothing."""

    locale: str | None = None
    split: str | None = None


async def add(
    store: DatasetStore,
    card: Card,
    drafts: Sequence[Draft],
    locate: Callable[[str], Path],
    defaults: Defaults,
    on_done: Callable[[str], None] = lambda _: None,
) -> Added:
    """Take recordings into the store, those that are sound; ``on_done`` hears of each file that was dealt with.

    ``locate`` says where a file lies, or raises what stands in its way.

    Raises:
        DatasetInvalidError: if none of them is sound, or two have the same name.
    """
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(draft: Draft) -> RecordingItem | Broken:
        async with turns:
            try:
                file = check_recording(draft.file)
                path = await asyncio.to_thread(locate, file)
                return await _item(store.objects, Draft(file, draft.given), path, defaults)
            except DragomanError as error:
                return Broken(draft.file, str(error))
            finally:
                on_done(draft.file)

    results = await asyncio.gather(*map(one, drafts))
    items = tuple(result for result in results if isinstance(result, RecordingItem))
    broken = tuple(result for result in results if isinstance(result, Broken))
    if not items:
        raise DatasetInvalidError(f"None of {len(drafts)} recordings can be used. '{broken[0].file}': {broken[0].why}")
    twice = len(items) - len({item.file for item in items})
    if twice:
        raise DatasetInvalidError(f"{twice} recordings have the name of another; every 'file' may be named once.")
    return Added(store.keep(Dataset(card, items, (), store.folder)), broken)


async def _item(objects: Objects, draft: Draft, path: Path, defaults: Defaults) -> RecordingItem:
    info, duration_ms = await hear(path)
    digest = await asyncio.to_thread(sha256_of, path)
    if draft.given.get("sha256", digest) != digest:
        raise DatasetInvalidError("Its sha256 is not the one that the manifest gives: it was changed, or is cut short.")
    heard: dict[str, JsonValue] = {
        "split": defaults.split,
        "sample_rate_hz": info.sample_rate_hz,
        "channels": info.channels,
        "duration_ms": duration_ms,
    }
    utterances = [_utterance(said, draft, duration_ms, defaults.locale) for said in _listed(draft.given)]
    fields = {**heard, **draft.given, "file": draft.file, "sha256": digest, "utterances": utterances}
    try:
        item = RecordingItem.model_validate(fields)
    except ValidationError as error:
        raise DatasetInvalidError(first_problem(error)) from error
    if await asyncio.to_thread(objects.put, path) != digest:
        raise DatasetInvalidError("It was changed while it was read; try again.")
    return item


async def hear(path: Path) -> tuple[AudioInfo, int]:
    """Decode a recording to its end; return what it is and how long, in milliseconds.

    Raises:
        DragomanError: if it is no audio, or breaks off.
    """
    samples = 0
    async with open_audio(path) as audio:
        async for heard in audio:
            samples = heard.end if isinstance(heard, AudioFrame) else samples
        return audio.info, to_ms(samples)


def _listed(given: Mapping[str, JsonValue]) -> list[JsonValue]:
    utterances = given.get("utterances", [])
    if not isinstance(utterances, list):
        raise DatasetInvalidError("'utterances' must be a list.")
    return utterances


def _utterance(said: JsonValue, draft: Draft, duration_ms: int, locale: str | None) -> JsonValue:
    if not isinstance(said, dict):
        raise DatasetInvalidError("Every one of 'utterances' must be an object.")
    spoken = said.get("locale") or locale
    if not isinstance(spoken, str):
        raise DatasetInvalidError("Nobody says which language is spoken; give --locale, or a 'locale' for it.")
    try:
        whole = {**said, "locale": parse_locale(spoken)}
    except LocaleError as error:
        raise DatasetInvalidError(str(error)) from error
    timed = {"start_ms", "end_ms"} & whole.keys()
    if len(timed) == 1 or (not timed and len(_listed(draft.given)) > 1):
        raise DatasetInvalidError("Several utterances need both 'start_ms' and 'end_ms'.")
    return whole if timed else {"start_ms": 0, "end_ms": duration_ms, **whole}
