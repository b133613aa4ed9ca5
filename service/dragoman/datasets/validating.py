"""Whether a dataset is what it says, and may be used: every recording is read, hashed and decoded."""

import asyncio
import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from dragoman.datasets.adding import hear
from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import Card, LocaleSpan, RecordingItem, Reference
from dragoman.datasets.leakage import find_leaks
from dragoman.datasets.objects import sha256_of
from dragoman.datasets.problems import Check, Problem
from dragoman.domain.errors import DatasetInvalidError, DragomanError, LocaleError
from dragoman.domain.language import parse_locale, parse_target

_AT_ONCE: Final = min(4, os.cpu_count() or 1)
_TOLERANCE_MS: Final = 50
"""Codecs add and drop a few milliseconds at either end; Opus frames are 20 ms."""


async def validate(dataset: Dataset, on_done: Callable[[str], None] = lambda _: None) -> list[Problem]:
    """Return what is wrong, in the order of the manifest; ``on_done`` hears of each recording that was read."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(item: RecordingItem) -> list[Problem]:
        async with turns:
            found = [*await _file_problems(dataset, item), *item_problems(item)]
            on_done(item.id)
            return found

    by_item = await asyncio.gather(*map(one, dataset.recordings))
    return [
        *card_problems(dataset.card),
        *erased_problems(dataset),
        *(problem for found in by_item for problem in found),
        *find_leaks(dataset),
    ]


def erased_problems(dataset: Dataset) -> list[Problem]:
    """Return whether a version of which items were erased is what was left of it."""
    if dataset.erased is None or dataset.erased.left == dataset.content:
        return []
    what = f"Items were erased, and it is not what was left ({dataset.erased.left}): it was changed since."
    return [Problem(Check.CHECKSUM, None, what)]


def card_problems(card: Card) -> list[Problem]:
    """Return what nobody says of a dataset and must be known before others may use it."""
    return [
        Problem(Check.CARD, None, f"Nobody says its {field}; add it again with --{field}, or write it in dataset.json.")
        for field in card.missing
    ]


def item_problems(item: RecordingItem) -> Iterator[Problem]:
    """Yield what is wrong with what a manifest says of a recording, whatever the recording itself."""
    for said in _timed(item):
        where = f"{said.start_ms}-{said.end_ms} ms"
        if said.start_ms > said.end_ms:
            yield Problem(Check.UTTERANCES, item.id, f"{where}: it ends before it starts.")
        if said.end_ms > item.duration_ms + _TOLERANCE_MS:
            yield Problem(Check.UTTERANCES, item.id, f"{where}: it ends after the recording ({item.duration_ms} ms).")
        if said.channel >= item.channels:
            yield Problem(Check.UTTERANCES, item.id, f"{where}: there is no channel {said.channel}; counted from 0.")
    yield from _order_problems(item)
    yield from _locale_problems(item)


def _timed(item: RecordingItem) -> tuple[Reference | LocaleSpan, ...]:
    return (*item.utterances, *item.spans)


def _order_problems(item: RecordingItem) -> Iterator[Problem]:
    for channel in range(item.channels):
        said = [each for each in item.utterances if each.channel == channel]
        for before, after in pairwise(said):
            if after.start_ms < before.start_ms:
                yield Problem(Check.UTTERANCES, item.id, f"{after.start_ms} ms: it comes after a later one.")
    for said_once in item.utterances:
        if not said_once.text.strip():
            yield Problem(Check.UTTERANCES, item.id, f"{said_once.start_ms} ms: it has no text.")
        yield from _word_problems(item, said_once)


def _word_problems(item: RecordingItem, said: Reference) -> Iterator[Problem]:
    for word in said.words:
        if not said.start_ms <= word.start_ms <= word.end_ms <= said.end_ms:
            yield Problem(Check.UTTERANCES, item.id, f"{word.start_ms} ms: a word lies outside of its utterance.")
            return


def _locale_problems(item: RecordingItem) -> Iterator[Problem]:
    spoken = {said.locale for said in _timed(item)}
    targets = {tag for said in item.utterances for tag in said.translations}
    for parse, tags in ((parse_locale, spoken), (parse_target, targets)):
        for tag in sorted(tags):
            try:
                canonical = parse(tag)
            except LocaleError as error:
                yield Problem(Check.LOCALE, item.id, str(error))
            else:
                if canonical != tag:
                    yield Problem(Check.LOCALE, item.id, f"'{tag}' is written '{canonical}'.")


async def _file_problems(dataset: Dataset, item: RecordingItem) -> list[Problem]:
    try:
        path = dataset.path(item)
        if not await asyncio.to_thread(path.is_file):
            return [Problem(Check.FILE, item.id, "The recording is not there.")]
        digest = await asyncio.to_thread(sha256_of, path)
        found = (
            [] if digest == item.sha256 else [Problem(Check.CHECKSUM, item.id, "Its sha256 is another: it changed.")]
        )
        _, duration_ms = await hear(path)
    except OSError as error:
        return [Problem(Check.FILE, item.id, f"It cannot be read: {error.strerror}.")]
    except DatasetInvalidError as error:
        return [Problem(Check.FILE, item.id, str(error))]
    except DragomanError as error:
        return [Problem(Check.AUDIO, item.id, str(error))]
    found = []
    if digest != item.sha256:
        found.append(Problem(Check.CHECKSUM, item.id, "Its sha256 is not the manifest's: it was changed."))
    if abs(duration_ms - item.duration_ms) > _TOLERANCE_MS:
        found.append(
            Problem(Check.DURATION, item.id, f"It lasts {duration_ms} ms; the manifest says {item.duration_ms} ms.")
        )
    return found
