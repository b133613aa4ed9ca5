from pathlib import Path

import pytest

from dragoman.calibration import Calibration, Trial, calibrated, chosen, keep, trials
from dragoman.engines.whisper.folder import usable_cores
from dragoman.settings import read_settings

FOUND = Calibration(model="micro", cores=usable_cores(), threads=2, workers=3, max_sessions=40)


def test_the_fastest_way_is_chosen_and_its_sessions_leave_room(tmp_path: Path) -> None:
    best = chosen(read_settings(data=tmp_path), [Trial(1, 2, 50.0), Trial(2, 1, 20.0)])
    assert (best.threads, best.workers) == (1, 2)
    assert 1 <= best.max_sessions < 50


def test_a_machine_that_is_too_slow_still_takes_one(tmp_path: Path) -> None:
    assert chosen(read_settings(data=tmp_path), [Trial(1, 1, 0.3)]).max_sessions == 1


def test_what_was_found_is_used_where_nobody_chose(tmp_path: Path) -> None:
    settings = read_settings(data=tmp_path, workers=5)
    assert calibrated(settings) == settings
    keep(settings, FOUND)
    found = calibrated(settings)
    assert (found.threads, found.workers, found.max_sessions) == (2, 5, 40)


@pytest.mark.parametrize("other", [{"cores": 999}, {"model": "small"}])
def test_what_was_found_elsewhere_is_not_used(tmp_path: Path, other: dict[str, object]) -> None:
    settings = read_settings(data=tmp_path)
    keep(settings, FOUND.model_copy(update=other))
    assert calibrated(settings) == settings


def test_a_damaged_file_is_not_used(tmp_path: Path) -> None:
    settings = read_settings(data=tmp_path)
    keep(settings, FOUND).write_text("{")
    assert calibrated(settings) == settings


@pytest.mark.slow
def test_every_way_to_share_the_cores_is_tried(tmp_path: Path) -> None:
    tried = list(trials(read_settings(data=tmp_path)))
    assert {(each.threads, each.workers) for each in tried} >= {(1, usable_cores())}
    assert all(each.speed > 0 for each in tried)
