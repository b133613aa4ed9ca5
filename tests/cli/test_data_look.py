"""``dragoman data validate``: what is wrong, for people and for programs."""

import json
from pathlib import Path

import pytest

from dragoman.resources import samples_folder
from tests.cli.test_data import CARD, calls, home, run

__all__ = ["home"]


def test_a_sound_dataset_passes(home: Path) -> None:
    run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD)
    done = run("validate", "calls")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no problem in 2 recordings" in done.stderr


def test_problems_are_named_and_the_exit_code_says_so(home: Path) -> None:
    reference = run("add", "calls", calls(home / "in"), "--locale", "en-US").stdout.strip()
    done = run("validate", "calls")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == "card  Nobody says its license; add it again with --license."
    told = json.loads(run("validate", "calls", "-f", "json").stdout)
    assert told["dataset"] == reference
    assert {problem["check"] for problem in told["problems"]} == {"card"}


@pytest.mark.slow
def test_the_samples_pass() -> None:
    assert run("validate", samples_folder() / "audio").exit_code == 0
