"""``dragoman data validate``: what is wrong, for people and for programs."""

import json
from pathlib import Path

import pytest

from dragoman.domain.errors import DatasetInvalidError
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
    assert (
        done.stdout.splitlines()[0]
        == "card  Nobody says its license; add it again with --license, or write it in dataset.json."
    )
    told = json.loads(run("validate", "calls", "-f", "json").stdout)
    assert told["dataset"] == reference
    assert {problem["check"] for problem in told["problems"]} == {"card"}


@pytest.mark.slow
def test_the_samples_pass() -> None:
    assert run("validate", samples_folder() / "audio").exit_code == 0


def test_a_profile_is_a_summary_a_report_and_json(home: Path) -> None:
    reference = run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD).stdout.strip()
    done = run("profile", "calls", "-o", home / "report.html")
    assert done.stdout.splitlines()[0] == f"{reference}: 2 recordings, 0.4 s, 2 utterances, en-US"
    assert "- “dragoman data clean” would leave out 2 of 2 recordings" in done.stdout
    assert reference in (home / "report.html").read_text()
    told = json.loads(run("profile", "calls", "-f", "json").stdout)
    assert [entry["duration_ms"] for entry in told["recordings"]] == [200, 200]


def test_cases_cannot_be_listened_to(home: Path) -> None:
    (home / "questions.jsonl").write_text('{"question": "When?"}\n')
    with pytest.raises(DatasetInvalidError, match="no recordings"):
        run("profile", home / "questions.jsonl")
