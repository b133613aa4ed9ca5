"""``dragoman data``: into the store, out of it, and what changed."""

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli.data import data
from dragoman.datasets.dataset import read_dataset
from dragoman.domain.errors import DatasetInvalidError, SourceFailedError
from tests.datasets.sounds import tone, write_wav

CARD = ("--license", "CC0-1.0", "--consent", "machine", "--provenance", "made for a test")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRAGOMAN_DATA", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(data, list(map(str, arguments)), catch_exceptions=False)


def calls(folder: Path, count: int = 2) -> Path:
    for number in range(count):
        write_wav(folder / f"{number}.wav", tone(0.2, 300 + 70 * number))
        (folder / f"{number}.txt").write_text(f"This is call {number}.")
    return folder


def test_a_folder_is_added_listed_and_pulled(home: Path) -> None:
    done = run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD)
    reference = done.stdout.strip()
    assert done.exit_code == 0
    assert done.stderr == "Kept: 2 recordings, 0.4 s, 2 utterances, en-US.\n"
    _, row = run("list").stdout.splitlines()
    assert row.split()[:2] == [reference, "*"]
    assert run("pull", "calls", home / "out").exit_code == 0
    assert f"calls@{read_dataset(home / 'out').version}" == reference
    (entry,) = json.loads(run("list", "-f", "json").stdout)
    assert (entry["recordings"], entry["audio_ms"], entry["card"]["license"]) == (2, 400, "CC0-1.0")


def test_the_same_again_is_the_same_version_and_says_so(home: Path) -> None:
    arguments = ("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD)
    first, second = run(*arguments), run(*arguments)
    assert first.stdout == second.stdout
    assert second.stderr.startswith("Was there already: ")


def test_a_broken_file_is_named_and_the_exit_code_says_that_one_failed(home: Path) -> None:
    (calls(home / "in") / "9.wav").write_bytes(b"no audio")
    done = run("add", "calls", home / "in", "--locale", "en-US", *CARD)
    assert done.exit_code == 1
    assert done.stderr.startswith("9.wav: ")
    assert "1 recording could not be used." in done.stderr
    assert "2 recordings" in run("list").stdout


def test_what_nobody_says_is_asked_for(home: Path) -> None:
    done = run("add", "calls", calls(home / "in"), "--locale", "en-US")
    assert done.exit_code == 0
    for field in ("license", "consent", "provenance"):
        assert f"Nobody says its {field}: validate and push will refuse it; give --{field}." in done.stderr


def test_an_archive_is_a_source(home: Path) -> None:
    folder = calls(home / "in")
    with zipfile.ZipFile(home / "calls.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"calls/{file.name}")
    from_archive = run("add", "calls", home / "calls.zip", "--locale", "en-US", *CARD)
    assert from_archive.stdout == run("add", "calls", folder, "--locale", "en-US", *CARD).stdout
    assert not [path for path in (home / "home" / "datasets").iterdir() if path.name.startswith(".")]


def test_cases_are_a_source(home: Path) -> None:
    (home / "questions.jsonl").write_text('{"question": "When?"}\n')
    done = run("add", "questions", home / "questions.jsonl", *CARD)
    assert done.stderr == "Kept: 1 case.\n"


def test_a_difference_is_shown(home: Path) -> None:
    old = run("add", "calls", calls(home / "in", 2), "--locale", "en-US", *CARD).stdout.strip()
    (home / "in" / "0.wav").unlink()
    (home / "in" / "1.txt").write_text("Something else.")
    write_wav(home / "in" / "2.wav", tone(0.1))
    new = run("add", "calls", home / "in", "--locale", "en-US", *CARD).stdout.strip()
    assert run("diff", old, "calls").stdout.splitlines() == [
        f"{old} → {new}",
        "+ 2.wav",
        "- 0.wav",
        "~ 1.wav: utterances",
        "1 added, 1 removed, 1 changed; +0 items, -0.1 s",
    ]
    assert json.loads(run("diff", old, new, "-f", "json").stdout)["added"] == ["2.wav"]
    assert run("diff", new, new).stdout.startswith("No difference")


def test_nothing_is_written_over(home: Path) -> None:
    run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD)
    with pytest.raises(DatasetInvalidError, match="not empty"):
        run("pull", "calls", home / "in")


@pytest.mark.parametrize(("name", "says"), [("Calls", "no name of a dataset"), ("objects", "itself")])
def test_a_name_that_cannot_be_is_refused(home: Path, name: str, says: str) -> None:
    with pytest.raises(DatasetInvalidError, match=says):
        run("add", name, calls(home / "in"), "--locale", "en-US")


def test_a_source_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(SourceFailedError, match="nowhere"):
        run("add", "calls", home / "nowhere")


def test_a_source_that_is_too_large_is_given_up(home: Path) -> None:
    with zipfile.ZipFile(home / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(10_000_000))
    with pytest.raises(SourceFailedError, match="--max-gb"):
        run("add", "calls", home / "bomb.zip", "--max-gb", "0.001")
