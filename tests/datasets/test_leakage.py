"""What is in two splits is found."""

from pathlib import Path

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import Card, CaseItem, RecordingItem, Reference
from dragoman.datasets.leakage import find_leaks

LONG = "My parcel with the number 5512 was due on Monday."


def item(
    file: str, split: str | None, text: str = "", *, subject: str | None = None, speaker: str | None = None
) -> RecordingItem:
    said = Reference(start_ms=0, end_ms=900, locale="en-US", text=text or f"Nobody else says what {file} says here.")
    digest = (file[:1].encode().hex() * 32)[:64]
    utterances = (said.model_copy(update={"speaker": speaker}),)
    return RecordingItem(
        file=file, sha256=digest, duration_ms=1_000, split=split, subject=subject, utterances=utterances
    )


def leaks(*items: RecordingItem) -> list[str]:
    return [problem.message for problem in find_leaks(Dataset(Card(name="calls"), items, (), Path()))]


def test_splits_that_share_nothing_are_clean() -> None:
    assert leaks(item("a", "train", subject="s1"), item("b", "train", subject="s1"), item("c", "test")) == []


def test_what_has_no_split_cannot_leak() -> None:
    assert leaks(item("a", None, LONG, subject="s1"), item("b", "test", LONG, subject="s1")) == []


def test_the_same_recording_subject_and_speaker_leak() -> None:
    one, two = item("a1", "train", subject="s1"), item("a2", "test", subject="s1")
    assert leaks(one, two) == [
        "The recording is in several splits: test: a2; train: a1.",
        "The subject 's1' is in several splits: test: a2; train: a1.",
    ]
    assert leaks(item("a", "train", speaker="A"), item("b", "test", speaker="A")) == [
        "The speaker 'A' is in several splits: test: b; train: a.",
    ]


def test_where_subjects_are_named_labels_of_speakers_say_nothing() -> None:
    one, two = item("a", "train", subject="s1", speaker="A"), item("b", "test", subject="s2", speaker="A")
    assert leaks(one, two) == []


def test_nearly_the_same_text_leaks_and_small_talk_does_not() -> None:
    changed = LONG.replace("5512", "5513").upper()
    assert leaks(item("a", "train", LONG), item("b", "test", changed)) == [
        "1 text says the same in test and in train, or nearly: a and b."
    ]
    assert leaks(item("a", "train", "Good morning!"), item("b", "test", "Good morning!")) == []


def test_cases_leak_too() -> None:
    cases = tuple(
        CaseItem(id=f"case_{number}", given={"lines": [{"text": LONG}]}, split=split)
        for number, split in enumerate(("dev", "test", "test"))
    )
    (leak,) = find_leaks(Dataset(Card(name="asked", schema_name="cases/1"), (), cases, Path()))
    assert "1 text says the same in dev and in test" in leak.message
