"""Accepted corrections become recordings and examples: once, in one part, and never what an evaluation has."""

import asyncio
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.erasing import Origin, erase_items
from dragoman.datasets.exports.outcome import Reason
from dragoman.datasets.items import Card, RecordingItem, Reference
from dragoman.datasets.shots import read_candidates
from dragoman.datasets.store import DatasetStore
from dragoman.datasets.validating import validate
from dragoman.domain.feedback import Correction
from dragoman.reviewing.building import BuildWishes, Built, build, part_of
from dragoman.reviewing.queue import ReviewQueue
from dragoman.reviewing.sounds import SessionAudio
from dragoman.store.erasure import ASKED, erase
from dragoman.store.spool import FileSpool
from dragoman.store.sql import SqlStore
from tests.insight.talk import polishing, step
from tests.reviewing.spoken import Said, corrected, keep, say, sound

TAUGHT = [f"s_{number:032x}" for number in range(40) if part_of(f"s_{number:032x}", 0.3) == "train"]
TESTED = [f"s_{number:032x}" for number in range(40) if part_of(f"s_{number:032x}", 0.3) == "test"]

PARCEL: list[Said] = [("The parcel for Miss Shivon is late.", 0.4), ("Thank you.", 0.9)]


class Place:
    """A server's data, as it is after its sessions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SqlStore.open(f"sqlite:///{folder / 'dragoman.db'}")
        self.datasets = DatasetStore(folder / "datasets")

    def session(self, session_id: str, said: list[Said] = PARCEL, seconds: int = 3) -> str:
        keep(self.store, session_id, said)
        if seconds:
            asyncio.run(self._sound(session_id, seconds))
        return session_id

    def accepted(self, session_id: str, said: Correction) -> str:
        feedback_id = say(self.store, session_id, said)
        ReviewQueue(self.store.engine).accept(feedback_id, "anna")
        return feedback_id

    def build(self, *avoided: Dataset, subjects: Mapping[str, str] | None = None) -> Built:
        async def body() -> Built:
            spool = FileSpool(self.folder / "spool")
            try:
                return await build(
                    ReviewQueue(self.store.engine).entries(),
                    self.datasets,
                    SessionAudio(spool),
                    {"insight": step(), "polish": polishing()},
                    BuildWishes("corrections", "terms of use", avoided=avoided),
                    subjects or {},
                )
            finally:
                await spool.close()

        return asyncio.run(body())

    async def _sound(self, session_id: str, seconds: int) -> None:
        spool = FileSpool(self.folder / "spool")
        await sound(spool, session_id, seconds)
        await spool.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.store.close()


def recordings(built: Built) -> tuple[RecordingItem, ...]:
    return next((each.recordings for each in built.datasets if each.recordings), ())


def evaluation(text: str) -> Dataset:
    said = Reference(start_ms=0, end_ms=900, locale="en-US", text=text)
    item = RecordingItem(file="e.wav", sha256="0" * 64, duration_ms=900, utterances=(said,))
    return Dataset(Card(name="gate"), (item,), (), Path())


def test_a_correction_becomes_a_recording_with_the_truth_and_where_it_is_from(place: Place) -> None:
    session = place.session(TAUGHT[0])
    place.accepted(session, corrected("The parcel for Miss Siobhan is late."))
    place.accepted(session, Correction(part="translation", target="de", utterance_id="u_1", text="Das Paket kommt."))
    built = place.build()
    (item,) = recordings(built)
    assert (item.session, item.tenant, item.split) == (session, "acme", "train")
    (truth,) = item.utterances
    assert (truth.text, truth.translations) == ("The parcel for Miss Siobhan is late.", {"de": "Das Paket kommt."})
    assert (truth.start_ms, truth.end_ms, item.duration_ms) == (500, 1_300, 1_800)
    (dataset,) = (each for each in built.datasets if each.recordings)
    assert (dataset.card.consent, dataset.card.missing) == ("terms of use", ())
    assert asyncio.run(validate(dataset)) == []
    with wave.open(str(dataset.path(item))) as heard:
        samples = np.frombuffer(heard.readframes(heard.getnframes()), "<i2").astype(float)
    middle = samples[8_000:19_200]  # of the second second, which is a tone of 300 Hz
    assert int(np.argmax(np.abs(np.fft.rfft(middle)))) * 16_000 / len(middle) == pytest.approx(300, abs=5)


def test_where_nobody_spoke_a_recording_says_so(place: Place) -> None:
    place.accepted(place.session(TAUGHT[0]), corrected("", "u_2"))
    (item,) = recordings(place.build())
    assert item.utterances == ()


def test_the_same_again_is_the_same_version_and_more_is_a_child_of_it(place: Place) -> None:
    place.accepted(place.session(TAUGHT[0]), corrected("", "u_2"))
    first, again = place.build(), place.build()
    assert (first.is_new, again.is_new) == ((True,), (False,))
    assert first.datasets[0].version == again.datasets[0].version
    place.accepted(place.session(TAUGHT[1]), corrected("", "u_2"))
    (more,) = place.build().datasets
    assert (len(more.recordings), more.card.parent) == (2, first.datasets[0].version)


def test_a_session_stays_in_its_part_and_what_measures_is_not_taught(place: Place) -> None:
    for session in (TAUGHT[0], TESTED[0]):
        place.session(session)
        place.accepted(session, corrected("The parcel for Miss Siobhan is late."))
    other = [("The weather in Dublin is very fine today.", 0.4)]
    for session in (TAUGHT[1], TESTED[1]):
        place.session(session, [*other, ("Yes.", 0.9)])
        place.accepted(session, corrected("", "u_2"))
    built = place.build()
    parts = {item.session: item.split for item in recordings(built)}
    assert parts == {TESTED[0]: "test", TAUGHT[1]: "train", TESTED[1]: "test"}
    assert {each.reason for each in built.left_out} == {Reason.EVALUATION}
    assert [each.card.name for each in built.datasets] == ["corrections"]  # nor is it an example


def test_what_an_evaluation_has_gets_in_nowhere(place: Place) -> None:
    place.accepted(place.session(TAUGHT[0]), corrected("The parcel for Miss Siobhan is late."))
    built = place.build(evaluation("The parcel for Miss Siobhan is late!"))
    assert built.datasets == ()
    assert [each.reason for each in built.left_out] == [Reason.EVALUATION, Reason.EVALUATION]
    assert all("gate@" in each.why for each in built.left_out)


def test_without_audio_there_is_no_recording_but_an_example(place: Place) -> None:
    said = place.accepted(place.session(TAUGHT[0], seconds=0), corrected("The parcel for Miss Siobhan is late."))
    built = place.build()
    assert [(each.item, each.reason) for each in built.left_out] == [(said, Reason.AUDIO)]
    (examples,) = built.datasets
    assert examples.card.name == "corrections-polish"
    assert not (place.folder / "spool" / f"{TAUGHT[0]}.s16").exists()


def test_examples_are_what_a_step_reads_and_can_be_chosen_from(place: Place) -> None:
    session = place.session(TAUGHT[0])
    place.accepted(session, corrected("The parcel for Miss Siobhan is late."))
    place.accepted(session, Correction(part="insight", text="The parcel for Miss Siobhan is late. She said thank you."))
    built = place.build()
    found = {each.card.name: each for each in built.datasets if each.cases}
    (polish,) = read_candidates(found["corrections-polish"].root / "data.jsonl", "polish")
    assert polish.answer == {
        "text": "The parcel for Miss Siobhan is late.",
        "translations": [],
        "changes": [{"was": "Shivon", "now": "Siobhan", "why": "a person corrected it"}],
    }
    assert polish.given["utterance"] == {"locale": "en-US", "text": PARCEL[0][0], "translations": []}
    (insight,) = read_candidates(found["corrections-insight"].root / "data.jsonl", "insight")
    assert isinstance(insight.answer, dict)
    assert insight.answer["summary"] == [
        {"text": "The parcel for Miss Siobhan is late.", "utterance_ids": ["u_1"]},
        {"text": "She said thank you.", "utterance_ids": ["u_2"]},
    ]
    assert {case.given["session"] for each in found.values() for case in each.cases} == {session}


@pytest.mark.parametrize(
    "said",
    [
        corrected("Something that nobody could take for what was heard there, ever."),
        Correction(part="insight", text="The moon landed in 1969 beside a green cow."),
        corrected("The parcel for Miss Siobhan is late.", locale="fr-FR"),
    ],
)
def test_what_a_step_would_not_accept_is_no_example(place: Place, said: Correction) -> None:
    place.accepted(place.session(TAUGHT[0]), said)
    built = place.build()
    assert not [each for each in built.datasets if each.cases]
    assert Reason.SHAPE in {each.reason for each in built.left_out}


def test_what_was_rejected_or_erased_is_not_there(place: Place) -> None:
    rejected = say(place.store, place.session(TAUGHT[0]), corrected("", "u_2"))
    ReviewQueue(place.store.engine).reject(rejected, None, "somebody did speak")
    place.accepted(place.session(TAUGHT[1]), corrected("", "u_2"))
    place.accepted(place.session(TAUGHT[2]), corrected("", "u_2"))
    assert {item.session for item in recordings(place.build())} == {TAUGHT[1], TAUGHT[2]}
    erase(place.store.engine, TAUGHT[2], ASKED)
    assert {item.session for item in recordings(place.build())} == {TAUGHT[1]}


def test_a_person_is_in_one_part_and_erased_as_one(place: Place) -> None:
    for session in (TAUGHT[0], TESTED[0]):
        place.accepted(place.session(session), corrected("", "u_2"))
    built = place.build(subjects={TAUGHT[0]: "anna", TESTED[0]: "anna"})
    items = recordings(built)
    assert len({item.split for item in items}) == 1
    assert {item.subject for item in items} == {"anna"}
    gone = erase_items(place.datasets, Origin(tenant="acme", is_subject=lambda named: named == "anna"), "subject")
    assert gone.items == 2


def test_an_erased_session_is_in_no_version(place: Place) -> None:
    place.accepted(place.session(TAUGHT[0]), corrected("The parcel for Miss Siobhan is late."))
    built = place.build()
    assert [bool(each.recordings) for each in built.datasets] == [True, False]
    assert erase_items(place.datasets, Origin(sessions={TAUGHT[0]}), "session").items == 2
    for name in ("corrections", "corrections-polish"):
        left = place.datasets.open(name)
        assert (left.recordings, left.cases) == ((), ())
