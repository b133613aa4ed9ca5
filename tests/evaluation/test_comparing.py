"""What differs between two candidates, and whether that may be chance."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from dragoman.domain.errors import ReportInvalidError
from dragoman.evaluation.comparing import Difference, compare
from dragoman.evaluation.metrics.metric import Counts
from dragoman.evaluation.metrics.transcription import METRICS
from dragoman.evaluation.report import DatasetSeen, ItemCounts, Report, figures
from dragoman.evaluation.scored import Scored


def report(errors: Sequence[int], words: int = 100, version: str = "1", stage: str = "speech") -> Report:
    counted = [Counts({"words": (float(each), float(words))}) for each in errors]
    metrics, _ = figures([Scored(str(at), (), each) for at, each in enumerate(counted)], METRICS)
    return Report(
        stage=stage,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        dataset=DatasetSeen(name="calls", version=version, items=len(errors), audio_s=1.0),
        candidate={},
        machine={},
        catalog={},
        metrics=metrics,
        slices={},
        items=tuple(
            ItemCounts(item=str(at), failure=None, sums=each.sums, samples={}) for at, each in enumerate(counted)
        ),
    )


def wer(before: Report, after: Report) -> Difference:
    (found,) = [each for each in compare(before, after) if each.metric.name == "wer"]
    return found


def test_the_same_is_the_same() -> None:
    one = report([5, 3, 9, 1, 4, 8])
    found = wer(one, one)
    assert (found.change, found.outcome) == (0.0, "unsure")


def test_a_little_worse_everywhere_is_worse_though_items_differ_a_lot() -> None:
    before = [2, 40, 11, 25, 3, 60, 8, 17, 30, 5]
    found = wer(report(before), report([each + 2 for each in before]))
    assert found.change == pytest.approx(0.02)
    assert found.outcome == "worse"
    assert wer(report([each + 2 for each in before]), report(before)).outcome == "better"


def test_one_item_that_is_much_worse_may_be_chance() -> None:
    before = [2, 40, 11, 25, 3, 60, 8, 17, 30, 5]
    assert wer(report(before), report([*before[:-1], 35])).outcome == "unsure"


def test_chance_is_called_a_difference_as_rarely_as_it_says() -> None:
    random = np.random.default_rng(3)
    called = 0
    for _ in range(60):
        first, second = (report([int(each) for each in random.binomial(100, 0.1, size=25)]) for _ in range(2))
        called += wer(first, second).outcome != "unsure"
    assert called <= 8  # 5 % of 60 is 3; more than 8 come about in 1 of 300 such tests


def test_what_cannot_be_compared_says_why() -> None:
    with pytest.raises(ReportInvalidError, match="the same dataset"):
        compare(report([1, 2]), report([1, 2], version="2"))
    with pytest.raises(ReportInvalidError, match="the same dataset"):
        compare(report([1, 2]), report([1, 2, 3]))
    with pytest.raises(ReportInvalidError, match="'live'"):
        compare(report([1, 2]), report([1, 2], stage="live"))
