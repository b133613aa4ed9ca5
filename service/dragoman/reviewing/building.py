"""Accepted corrections → new versions: a regression set and what is taught, and examples for the steps.

A person is in one part for ever, by a hash (without a subject: a session), so that what is measured on is never taught,
in no later version either. What an evaluation has already is left out of both.
"""

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.exports.outcome import LeftOut, Reason
from dragoman.datasets.items import Card, CaseItem, RecordingItem, Reference
from dragoman.datasets.leakage import seen_in, texts_of
from dragoman.datasets.objects import sha256_of
from dragoman.datasets.store import DatasetStore
from dragoman.datasets.texts import normalized, said_in
from dragoman.insight.content import Example
from dragoman.insight.reciting import Step
from dragoman.reviewing.entries import Entry
from dragoman.reviewing.examples import example_of
from dragoman.reviewing.sounds import SessionAudio

TEST: Final = "test"
TRAIN: Final = "train"


@dataclass(frozen=True, slots=True)
class BuildWishes:
    """What to build: ``name`` of the recordings; examples are ``NAME-STEP``.

    ``consent`` says by what right voices and texts are used. ``test_share`` of the sessions are measured on and never
    taught. Nothing of the ``avoided`` evaluations gets in.
    """

    name: str
    consent: str
    license: str = "internal use"
    test_share: float = 0.3
    avoided: tuple[Dataset, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """What was made, and which corrections are not in it; ``is_new`` names versions that were not there before."""

    datasets: tuple[Dataset, ...]
    is_new: tuple[bool, ...]
    left_out: tuple[LeftOut, ...]


async def build(
    entries: Iterable[Entry],
    store: DatasetStore,
    audio: SessionAudio,
    steps: Mapping[str, Step],
    wishes: BuildWishes,
    subjects: Mapping[str, str] = MappingProxyType({}),
) -> Built:
    """Keep the accepted corrections as datasets; ``steps`` are those that examples are made for, by name.

    ``subjects`` are those of sessions, if it is known whose they are.

    Raises:
        DragomanError: if the store or the spool does not work, or the guard cannot tell whether a text is harmless.
    """
    accepted = [entry for entry in entries if entry.state == "accepted"]
    made = _Made(wishes, subjects)
    with tempfile.TemporaryDirectory(prefix=".corrections-", dir=_scratch(store)) as name:
        folder = Path(name)
        for (session_id, _), ours in _by_utterance(accepted).items():
            await made.hear(session_id, ours, audio, folder)
        for entry in accepted:
            if (step := steps.get("insight" if entry.record.said.part == "insight" else "polish")) is not None:
                await made.exemplify(entry, step)
        kept = [_keep(store, dataset) for dataset in made.datasets(folder)]
    return Built(tuple(each for each, _ in kept), tuple(new for _, new in kept), tuple(made.left_out))


def part_of(whose: str, test_share: float) -> str:
    """Return the part that a subject, or a session, is in: always the same."""
    drawn = int(sha256(f"part\0{whose}".encode()).hexdigest()[:8], 16) / 0x1_0000_0000
    return TEST if drawn < test_share else TRAIN


class _Made:
    """What is being made."""

    def __init__(self, wishes: BuildWishes, subjects: Mapping[str, str]) -> None:
        self._wishes = wishes
        self._subjects = subjects
        self._items: list[RecordingItem] = []
        self._examples: defaultdict[str, list[tuple[Entry, Example]]] = defaultdict(list)
        self.left_out: list[LeftOut] = []

    async def hear(self, session_id: str, ours: Sequence[Entry], audio: SessionAudio, folder: Path) -> None:
        """Make a recording of an utterance, with what people say is right about it."""
        spoken = ours[0].utterance
        assert spoken is not None
        file = f"{session_id}/{re.sub('[^A-Za-z0-9_-]', '-', spoken.utterance_id)}.wav"
        cut = await audio.cut(session_id, spoken.start_ms, spoken.end_ms, folder / file)
        if cut is None:
            why = "no audio of its session is kept; DRAGOMAN_KEEP_AUDIO=true keeps it"
            self.left_out += [LeftOut(entry.record.feedback_id, Reason.AUDIO, why) for entry in ours]
            return
        first_ms, duration_ms = cut
        self._items.append(
            RecordingItem(
                file=file,
                sha256=sha256_of(folder / file),
                duration_ms=duration_ms,
                sample_rate_hz=16_000,
                tags=("correction",),
                split=self._part(session_id),
                subject=self._subjects.get(session_id),
                session=session_id,
                tenant=ours[0].record.tenant,
                utterances=_truth(ours, first_ms, duration_ms),
            )
        )

    async def exemplify(self, entry: Entry, step: Step) -> None:
        """Make an example of a correction, unless its session is measured on."""
        if self._part(entry.record.session_id) == TEST:
            return
        if entry.record.said.part == "translation" or not entry.text:
            return  # no step translates, and where nobody said anything there is nothing to read again
        made = await example_of(entry, step)
        if isinstance(made, LeftOut):
            self.left_out.append(made)
        else:
            name = "insight" if entry.record.said.part == "insight" else "polish"
            self._examples[name].append((entry, made))

    def datasets(self, folder: Path) -> list[Dataset]:
        """Return what was made, without what an evaluation has."""
        card = Card(
            name=self._wishes.name,
            title="Corrections that a person accepted",
            license=self._wishes.license,
            consent=self._wishes.consent,
            provenance="what users said of their sessions, reviewed: dragoman feedback build",
        )
        recordings = Dataset(card, tuple(self._items), (), folder)
        seen = seen_in(texts_of(recordings), self._wishes.avoided)
        items = [item for item in self._items if self._is_free(item, seen)]
        tested = Dataset(card, tuple(item for item in items if item.split == TEST), (), folder)
        repeated = seen_in(texts_of(recordings), (tested,))
        items = [item for item in items if item.split == TEST or self._is_free(item, repeated)]
        found = [Dataset(card, tuple(items), (), folder)] if items else []
        for name, examples in sorted(self._examples.items()):
            texts = [text for _, example in examples for text in _texts(example)]
            shared = seen_in(texts, (*self._wishes.avoided, tested))
            cases = tuple(self._cases(examples, shared))
            if cases:
                titled = card.model_copy(
                    update={"name": f"{card.name}-{name}", "schema_name": "cases/1", "title": f"Examples for {name}"}
                )
                found.append(Dataset(titled, (), cases, folder))
        return found

    def _part(self, session_id: str) -> str:
        return part_of(self._subjects.get(session_id, session_id), self._wishes.test_share)

    def _is_free(self, item: RecordingItem, seen: Mapping[str, str]) -> bool:
        texts = (text for said in item.utterances for text in (said.text, *said.translations.values()))
        source = next(filter(None, (seen.get(normalized(text)) for text in texts)), None)
        if source:
            self.left_out.append(LeftOut(item.id, Reason.EVALUATION, f"it shares a text with {source}"))
        return source is None

    def _cases(self, examples: Sequence[tuple[Entry, Example]], seen: Mapping[str, str]) -> Iterable[CaseItem]:
        number = 0
        for entry, example in examples:
            if source := next(filter(None, (seen.get(normalized(text)) for text in _texts(example))), None):
                why = f"it shares a text with {source}"
                self.left_out.append(LeftOut(example.id, Reason.EVALUATION, why))
                continue
            number += 1
            given = {
                **example.model_dump(mode="json"),
                "session": entry.record.session_id,
                "tenant": entry.record.tenant,
            }
            if (subject := self._subjects.get(entry.record.session_id)) is not None:
                given["subject"] = subject
            yield CaseItem(id=f"case_{number}", given=given)


def _texts(example: Example) -> Iterable[str]:
    yield from said_in(example.given)
    yield from said_in(example.answer)


def _by_utterance(accepted: Iterable[Entry]) -> dict[tuple[str, str], list[Entry]]:
    found: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in accepted:
        if entry.utterance is not None:
            found[entry.record.session_id, entry.utterance.utterance_id].append(entry)
    return dict(sorted(found.items()))


def _truth(ours: Sequence[Entry], first_ms: int, duration_ms: int) -> tuple[Reference, ...]:
    spoken = ours[0].utterance
    assert spoken is not None
    heard = next((entry for entry in ours if entry.record.said.part == "transcript"), None)
    text = heard.text if heard and heard.text is not None else spoken.text
    if not text:
        return ()  # nobody said anything
    return (
        Reference(
            start_ms=max(0, spoken.start_ms - first_ms),
            end_ms=min(duration_ms, spoken.end_ms - first_ms),
            locale=(heard.locale if heard else None) or spoken.locale,
            text=text,
            speaker=spoken.speaker,
            translations={
                entry.record.said.target: entry.text
                for entry in ours
                if entry.record.said.target is not None and entry.text
            },
        ),
    )


def _keep(store: DatasetStore, made: Dataset) -> tuple[Dataset, bool]:
    """Keep a version, unless its items are those of the last one."""
    name = made.card.name
    before = store.open(name) if store.latest(name) else None
    if before and _content(before) == _content(made):
        return before, False
    change = f"{len(made.recordings) or len(made.cases)} accepted corrections"
    card = made.card.model_copy(update={"change": change, "parent": before.version if before else None})
    store.keep_files(made)
    kept = store.keep(made.with_card(card))
    return kept.dataset, kept.is_new


def _content(dataset: Dataset) -> object:
    papers = dataset.card.license, dataset.card.consent
    return papers, sorted(map(repr, dataset.recordings)), sorted(repr(dict(case.given)) for case in dataset.cases)


def _scratch(store: DatasetStore) -> Path:
    store.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return store.folder
