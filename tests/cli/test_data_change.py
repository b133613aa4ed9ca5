"""``dragoman data clean|split|shots``: new versions from others, and few-shot sets."""

import json
import re
import shutil
from pathlib import Path

import pytest

from dragoman.domain.errors import DatasetInvalidError
from dragoman.resources import flows_folder, samples_folder
from tests.cli.test_data import CARD, home, run

__all__ = ["home"]

pytestmark = pytest.mark.slow


def calls(folder: Path) -> Path:
    folder.mkdir()
    for source, name in [
        ("en_call.wav", "a.wav"),
        ("en_call.wav", "b.wav"),
        ("silence.flac", "c.flac"),
        ("fan_en.flac", "d.flac"),
    ]:
        shutil.copyfile(samples_folder() / "audio" / source, folder / name)
    return folder


def test_what_is_left_out_is_named_and_the_rest_is_a_new_version(home: Path) -> None:
    old = run("add", "calls", calls(home / "in"), *CARD).stdout.strip()
    dry = run("clean", "calls", "--min-snr", "20", "--dry-run")
    assert dry.stdout.splitlines()[:2] == ["same-bytes  b.wav: a.wav", "quiet  c.flac: -100.0 dBFS"]
    assert dry.stdout.splitlines()[2].startswith("noisy  d.flac: SNR 11.")
    assert "3 of 4 would be left out" in dry.stderr
    assert len(run("list").stdout.splitlines()) == 2
    *_, new = run("clean", "calls", "--min-snr", "20").stdout.splitlines()
    assert new != old
    listed = run("list").stdout
    assert "clean: left out 3 of 4 (1 noisy, 1 quiet, 1 same-bytes)" in listed
    assert "- b.wav" in run("diff", old, new).stdout


def test_a_clean_dataset_stays_what_it_is(home: Path) -> None:
    calls(home / "in")
    for name in ("b.wav", "c.flac"):
        (home / "in" / name).unlink()
    old = run("add", "calls", home / "in", *CARD).stdout.strip()
    told = json.loads(run("clean", "calls", "-f", "json").stdout)
    assert told == {"from": old, "to": old, "left_out": []}


def test_a_folder_outside_of_the_store_is_not_touched(home: Path) -> None:
    run("add", "calls", calls(home / "in"), *CARD)
    run("pull", "calls", home / "out")
    before = sorted(path.name for path in (home / "out").iterdir())
    assert run("clean", home / "out").stdout.splitlines()[-1].startswith("calls@")
    assert sorted(path.name for path in (home / "out").iterdir()) == before


def test_splits_are_drawn_and_said(home: Path) -> None:
    run("add", "calls", samples_folder() / "audio", *CARD)
    done = run("split", "calls", "--by", "recording", "--parts", "train=0.6,test=0.4", "--seed", "3")
    assert done.exit_code == 0
    assert re.search(r"^train: 6\d\.\d% of the audio, \d+ recordings", done.stderr, re.MULTILINE)
    assert re.search(r"texts say the same in test and in train", done.stderr)
    again = run("split", done.stdout.strip(), "--by", "recording", "--parts", "train=0.6,test=0.4", "--seed", "3")
    assert run("diff", done.stdout.strip(), again.stdout.strip()).stdout.splitlines()[1] == "card: parent"


def test_shots_are_chosen_and_written_once(home: Path) -> None:
    flow = flows_folder() / "insight"
    arguments = ("shots", "insight", flow / "insight_examples.jsonl", "-n", "3", "--avoid", flow, "-o", home)
    done = run(*arguments)
    assert len(done.stdout.splitlines()) == 3
    assert "insight_examples.jsonl: 3 examples" in done.stderr
    with pytest.raises(DatasetInvalidError, match="--force"):
        run(*arguments)
    assert run(*arguments, "--force").exit_code == 0


def test_an_example_of_an_evaluation_is_refused_by_name(home: Path) -> None:
    text = "My parcel with the number 5512 was due on Monday."
    (home / "data.jsonl").write_text(json.dumps({"line": text}))
    lines = [
        {"id": name, "locales": ["en-US"], "given": {"line": said}, "answer": ""}
        for name, said in [("a", text), ("b", "The technician comes on Wednesday at nine.")]
    ]
    (home / "candidates.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = run("shots", "polish", home / "candidates.jsonl", "-n", "1", "--avoid", home / "data.jsonl", "-o", home)
    assert done.stdout.split() == ["b", "en-US"]
    assert "a is refused: it shares a text with" in done.stderr
