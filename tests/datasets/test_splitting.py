"""Voices stay together, languages spread evenly, and nothing depends on the order."""

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import Card, RecordingItem, Reference
from dragoman.datasets.leakage import find_leaks
from dragoman.datasets.splitting import By, parse_parts, split
from dragoman.domain.errors import DatasetInvalidError

PARTS = {"train": 0.8, "dev": 0.1, "test": 0.1}


def item(
    number: int, locale: str = "en-US", *, subject: str | None = None, speakers: tuple[str, ...] = (), ms: int = 10_000
) -> RecordingItem:
    utterances = [
        Reference(start_ms=0, end_ms=ms, locale=locale, text=f"{number}", speaker=speaker)
        for speaker in speakers or (None,)
    ]
    digest = f"{number:064x}"
    return RecordingItem(
        file=f"{number}.wav", sha256=digest, duration_ms=ms, subject=subject, utterances=tuple(utterances)
    )


def dataset(*items: RecordingItem) -> Dataset:
    return Dataset(Card(name="calls"), items, (), Path())


def shares(made: Dataset) -> dict[str, dict[str, float]]:
    spoken: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for each in made.recordings:
        for said in each.utterances:
            spoken[said.locale][str(each.split)] += said.end_ms - said.start_ms
    return {locale: {name: ms / sum(parts.values()) for name, ms in parts.items()} for locale, parts in spoken.items()}


def test_every_language_is_in_every_split_as_wanted() -> None:
    items = [item(number, ("en-US", "de-DE", "fr-FR")[number % 3], subject=f"s{number}") for number in range(300)]
    for locale, parts in shares(split(dataset(*items), By.SUBJECT, PARTS, 0)).items():
        assert parts == {name: pytest.approx(share, abs=0.02) for name, share in PARTS.items()}, locale


def test_a_subject_is_in_one_split() -> None:
    items = [item(number, subject=f"s{number % 17}", ms=3_000 + 977 * (number % 7)) for number in range(200)]
    made = split(dataset(*items), By.SUBJECT, PARTS, 1)
    assert find_leaks(made) == []
    assert {each.split for each in made.recordings} == set(PARTS)


def test_who_speaks_with_somebody_goes_where_they_go() -> None:
    chain = [item(number, speakers=(f"p{number}", f"p{number + 1}")) for number in range(6)]
    others = [item(100 + number, speakers=(f"q{number}",)) for number in range(20)]
    made = split(dataset(*chain, *others), By.SPEAKER, PARTS, 0)
    assert len({each.split for each in made.recordings[:6]}) == 1
    assert find_leaks(made) == []


def test_the_same_bytes_are_in_one_split() -> None:
    items = [item(number) for number in range(20)]
    copies = [each.model_copy(update={"file": f"copy_{each.file}"}) for each in items]
    assert find_leaks(split(dataset(*items, *copies), By.RECORDING, PARTS, 0)) == []


@given(st.permutations(range(30)), st.integers(0, 5))
def test_the_order_of_recordings_does_not_matter(order: list[int], seed: int) -> None:
    items = [item(number, subject=f"s{number % 11}") for number in range(30)]
    one = split(dataset(*items), By.SUBJECT, PARTS, seed)
    two = split(dataset(*(items[number] for number in order)), By.SUBJECT, PARTS, seed)
    assert one.version == two.version


def test_another_seed_draws_other_splits() -> None:
    calls = dataset(*(item(number, subject=f"s{number}") for number in range(40)))
    one, two = (split(calls, By.SUBJECT, PARTS, seed) for seed in (0, 1))
    assert [each.split for each in one.recordings] != [each.split for each in two.recordings]
    assert one.card.change == "split: by subject into train=0.8,dev=0.1,test=0.1, seed 0"
    assert one.card.parent == calls.version


def test_no_split_is_empty() -> None:
    made = split(dataset(item(1), item(2), item(3, ms=90_000)), By.RECORDING, PARTS, 0)
    assert {each.split for each in made.recordings} == set(PARTS)


@pytest.mark.parametrize(
    ("by", "says"), [(By.SUBJECT, "names a subject"), (By.SPEAKER, "names a speaker"), (By.RECORDING, "2 groups")]
)
def test_what_cannot_be_split_is_refused(by: By, says: str) -> None:
    with pytest.raises(DatasetInvalidError, match=says):
        split(dataset(item(1), item(2)), by, PARTS, 0)


@pytest.mark.parametrize("text", ["train", "train=x", "train=0.5", "train=0.5,train=0.5", "=1", "a=2,b=-1", ""])
def test_parts_must_be_a_whole(text: str) -> None:
    with pytest.raises(DatasetInvalidError):
        parse_parts(text)


def test_parts_are_written_with_commas() -> None:
    assert parse_parts("train=0.9, test=0.1") == {"train": 0.9, "test": 0.1}
