from collections import Counter

import pytest

from dragoman.emulator.azureml.arm import ArmError
from dragoman.emulator.azureml.durations import seconds
from dragoman.emulator.azureml.traffic import Split, check_mirror, check_traffic, percentages


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"blue": 100}, {"blue": 100}),
        ({"blue": 90, "green": 10}, {"blue": 90, "green": 10}),
        ({"a": 33, "b": 33, "c": 34}, {"a": 33, "b": 33, "c": 34}),
        ({"green": 20}, {"green": 20, None: 80}),  # of copies most go nowhere
        ({}, {None: 100}),
    ],
)
def test_a_hundred_requests_are_dealt_out_exactly(parts: dict[str, int], expected: dict[str | None, int]) -> None:
    split = Split()
    assert Counter(split.next(parts) for _ in range(100)) == expected


def test_parts_may_change_between_requests() -> None:
    split = Split()
    for _ in range(7):
        split.next({"blue": 90, "green": 10})
    assert {split.next({"green": 100}) for _ in range(10)} == {"green"}


def test_a_part_comes_evenly_and_not_at_the_end() -> None:
    split = Split()
    dealt = [split.next({"blue": 90, "green": 10}) for _ in range(20)]
    assert [at % 10 for at, name in enumerate(dealt) if name == "green"] == [dealt.index("green")] * 2


@pytest.mark.parametrize(
    ("traffic", "mirror", "said"),
    [
        ({"blue": 90}, {}, "0 or 100"),
        ({"blue": 60, "green": 60}, {}, "0 or 100"),
        ({"blue": 110, "green": -10}, {}, "0 or 100"),
        ({"red": 100}, {}, "'red'"),
        ({"blue": 100}, {"green": 51}, "50 percent"),
        ({"blue": 100}, {"blue": 10}, "live traffic"),
        ({"blue": 100}, {"green": 10, "grey": 10}, "one deployment only"),
        ({"blue": 100}, {"red": 10}, "'red'"),
    ],
)
def test_what_cannot_be_is_refused(traffic: dict[str, int], mirror: dict[str, int], said: str) -> None:
    with pytest.raises(ArmError, match=said):
        check(traffic, mirror)


@pytest.mark.parametrize(("traffic", "mirror"), [({}, {}), ({"blue": 100}, {"green": 50})])
def test_what_can_be_is_taken(traffic: dict[str, int], mirror: dict[str, int]) -> None:
    check(traffic, mirror)


def check(traffic: dict[str, int], mirror: dict[str, int]) -> None:
    names = {"blue", "green", "grey"}
    check_traffic(traffic, names)
    check_mirror(mirror, traffic, names)


def test_zeroes_are_no_traffic() -> None:
    assert percentages({"blue": 100, "green": 0}) == {"blue": 100}
    assert percentages(None) == {}
    with pytest.raises(ArmError, match="whole percents"):
        percentages({"blue": "all"})


@pytest.mark.parametrize(
    ("text", "expected"), [("PT5S", 5), ("PT0.5S", 0.5), ("PT1M", 60), ("PT1H30M", 5400), ("P1D", 86_400)]
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "5", "PT5", "5S", "PTM"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds(text)
