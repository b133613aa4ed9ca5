"""``dragoman data push``: to where it goes, and why it does not."""

from pathlib import Path

import pytest

from dragoman.datasets.dataset import read_dataset
from dragoman.domain.errors import DatasetRefusedError, SettingsError, SourceFailedError
from tests.cli.test_data import CARD, calls, home, run

__all__ = ["home"]


def test_a_version_is_pushed_to_a_folder_once(home: Path) -> None:
    reference = run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD).stdout.strip()
    done = run("push", "calls", home / "share")
    assert done.stdout.strip() == f"{home}/share/{reference.replace('@', '/')}"
    assert done.stderr == "Wrote: 2 recordings, 0.4 s, 2 utterances, en-US.\n"
    assert f"calls@{read_dataset(Path(done.stdout.strip())).version}" == reference
    assert run("push", "calls", home / "share").stderr.startswith("Was there already")


def test_without_papers_it_stays(home: Path) -> None:
    run("add", "calls", calls(home / "in"), "--locale", "en-US", "--license", "CC0-1.0")
    with pytest.raises(DatasetRefusedError, match="consent and provenance"):
        run("push", "calls", home / "share")


@pytest.mark.parametrize(
    ("destination", "error"),
    [("azureml:", SettingsError), ("https://example.org/x", SourceFailedError), ("s3://bucket", SourceFailedError)],
)
def test_where_nothing_can_go_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, destination: str, error: type[Exception]
) -> None:
    monkeypatch.delenv("DRAGOMAN_AZUREML_WORKSPACE", raising=False)
    run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD)
    with pytest.raises(error):
        run("push", "calls", destination)
