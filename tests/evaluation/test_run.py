"""A run keeps what it did, whatever stops it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dragoman.domain.errors import AudioUnreadableError, EvaluationFailedError, EvaluationMixedError
from dragoman.evaluation.run import Progress, Run


@dataclass(frozen=True)
class Item:
    id: str


ITEMS = [Item(f"item {number}") for number in range(6)]


class Counting:
    """Says two lines of each item; fails where it is told to."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.seen: list[str] = []

    async def __call__(self, item: Item) -> AsyncGenerator[str, None]:
        self.seen.append(item.id)
        yield f'"{item.id}"'
        await asyncio.sleep(0)
        if item.id in self.failing:
            raise AudioUnreadableError("It is no audio.")
        yield "2"


def run(folder: Path, trial: Counting, *, jobs: int = 2, afresh: bool = False, **identity: str) -> list[Progress]:
    told: list[Progress] = []
    made: Run[Item] = Run(folder, {"candidate": "a", **identity}, afresh=afresh)
    results = asyncio.run(made.go(ITEMS, trial, jobs, told.append))
    assert [result.item for result in results] == [item.id for item in ITEMS]
    return told


def test_every_item_has_a_result_and_is_told(tmp_path: Path) -> None:
    told = run(tmp_path, Counting())
    assert [each.done for each in told] == [1, 2, 3, 4, 5, 6]
    assert {each.item for each in told} == {item.id for item in ITEMS}


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    run(tmp_path, Counting())
    again = Counting()
    assert run(tmp_path, again) == []
    assert again.seen == []
    run(tmp_path, again, afresh=True)
    assert len(again.seen) == 6


def test_an_item_that_fails_keeps_what_it_said_and_stops_nobody(tmp_path: Path) -> None:
    told = run(tmp_path, Counting("item 2"))
    (failed,) = [each for each in told if each.failure]
    assert (failed.item, failed.failure) == ("item 2", "audio_unreadable: It is no audio.")
    made: Run[Item] = Run(tmp_path, {"candidate": "a"})
    assert [len(each.lines) for each in made.done(ITEMS)] == [2, 2, 1, 2, 2, 2]


def test_the_results_of_another_candidate_are_not_mixed_in(tmp_path: Path) -> None:
    run(tmp_path, Counting())
    with pytest.raises(EvaluationMixedError, match="candidate differs"):
        run(tmp_path, Counting(), candidate="b")
    run(tmp_path, Counting(), afresh=True, candidate="b")


def test_a_result_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    run(tmp_path, Counting())
    next((tmp_path / "results").glob("*.json")).write_text('{"item": "item')
    again = Counting()
    run(tmp_path, again)
    assert len(again.seen) == 1


def test_a_disk_that_takes_nothing_more_ends_the_run_and_keeps_what_is_there(tmp_path: Path) -> None:
    made: Run[Item] = Run(tmp_path, {})

    async def trial(item: Item) -> AsyncGenerator[str, None]:
        yield "1"
        if item is ITEMS[3]:
            (tmp_path / "results").rename(tmp_path / "gone")

    with pytest.raises(EvaluationFailedError, match="what is there stays"):
        asyncio.run(made.go(ITEMS, trial, 1, lambda progress: None))
    assert len(list((tmp_path / "gone").glob("*.json"))) == 3


def test_processor_time_is_shared_out_and_adds_up(tmp_path: Path) -> None:
    async def busy(item: Item) -> AsyncGenerator[str, None]:
        until_s = time.process_time() + 0.02
        while time.process_time() < until_s:  # noqa: ASYNC110 - it is to be busy
            await asyncio.sleep(0)
        yield "1"

    made: Run[Item] = Run(tmp_path, {})
    results = asyncio.run(made.go(ITEMS, busy, 2, lambda progress: None))
    assert sum(each.cpu_s for each in results) >= 0.02
    assert all(each.yardstick.cpu_s > 0 and each.wall_s > 0 for each in results)


SLOW = """
import asyncio, sys
from pathlib import Path
from dragoman.evaluation.run import Run
from tests.evaluation.test_run import ITEMS

async def trial(item):
    yield '"begun"'
    await asyncio.sleep(0.15)
    yield '"done"'

def tell(progress):
    print(progress.item, flush=True)

asyncio.run(Run(Path(sys.argv[1]), {"candidate": "a"}).go(ITEMS, trial, 2, tell))
"""


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    done: list[str] = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": "."},
        )
        assert process.stdout is not None
        with process.stdout as told:
            done.append(told.readline().strip())
            process.send_signal(signal.SIGKILL)
            done += [line.strip() for line in told]
        process.wait()
    assert len(done) == len(set(done)), "what was told to be done was not done again"
    rest = Counting()
    run(tmp_path, rest)
    assert not set(rest.seen) & set(done)
    made: Run[Item] = Run(tmp_path, {"candidate": "a"})
    assert [json.loads(each.lines[-1]) for each in made.done(ITEMS)].count("done") >= len(done)
