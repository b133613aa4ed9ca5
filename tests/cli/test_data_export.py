"""``dragoman data export``: for whom, what is left out and why, and where it is from."""

import json
from pathlib import Path

import pytest

from dragoman.domain.errors import DatasetInvalidError, DatasetRefusedError
from tests.cli.test_data import CARD, calls, home, run

__all__ = ["home"]


def test_recordings_go_to_custom_speech_with_a_record_of_where_they_are_from(home: Path) -> None:
    reference = run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD).stdout.strip()
    (home / "said.tsv").write_text("3CPO\tthree c p o\n")
    done = run("export", "calls", home / "out", "--to", "custom-speech", "--pronunciations", "en-US", home / "said.tsv")
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["file", "entries"],
        ["en-US-pronunciation.txt", "1"],
        ["en-US-related-text.txt", "2"],
        ["en-US-train-001.zip", "2"],
    ]
    assert "half an hour" in done.stderr
    record = json.loads((home / "out" / "export.json").read_text())
    assert (record["dataset"], record["to"], record["license"]) == (reference, "custom-speech", "CC0-1.0")
    assert all(len(file["sha256"]) == 64 for file in record["files"])
    with pytest.raises(DatasetInvalidError, match="not empty"):
        run("export", "calls", home / "out", "--to", "custom-speech")


def test_what_is_left_out_is_named(home: Path) -> None:
    folder = calls(home / "in")
    (folder / "1.txt").write_text("na\u00efve")
    run("add", "calls", folder, "--locale", "en-US", *CARD)
    done = run("export", "calls", home / "out", "--to", "custom-speech")
    assert done.stdout.splitlines()[0] == ("characters  1.wav 0-200 ms: U+00EF: English transcripts are plain ASCII")
    found = json.loads(run("export", "calls", home / "again", "--to", "custom-speech", "-f", "json").stdout)
    assert found["left_out"][0]["reason"] == "characters"
    (folder / "0.txt").write_text("\u00fcber")
    run("add", "calls", folder, "--locale", "en-US", *CARD)
    with pytest.raises(DatasetInvalidError, match="Nothing can be exported"):
        run("export", "calls", home / "none", "--to", "custom-speech")


def test_an_evaluation_is_avoided(home: Path) -> None:
    run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD)
    run("add", "gate", calls(home / "gate", 1), "--locale", "en-US", *CARD)
    done = run("export", "calls", home / "out", "--to", "custom-speech", "--avoid", "gate")
    assert done.stdout.startswith("evaluation  0.wav: it is in gate@")


def test_answers_go_to_azure_openai(home: Path) -> None:
    lines = []
    for number in range(10):
        said = {"id": "u_1", "speaker": None, "locale": "en-US", "text": f"Parcel {number} lies in Leeds."}
        given = {"question": f"Where is parcel {number}?", "language": "en", "utterances": [said]}
        lines.append(json.dumps({"given": given, "answer": f"Parcel {number} lies in Leeds. [u_1]"}))
    (home / "answers.jsonl").write_text("\n".join(lines))
    run("add", "answers", home / "answers.jsonl", *CARD)
    done = run("export", "answers", home / "out", "--to", "azure-openai", "--step", "answer")
    assert done.stdout.splitlines()[1].split()[:2] == ["training.jsonl", "10"]
    assert run("export", "answers", home / "no", "--to", "azure-openai").exit_code == 2
    with pytest.raises(DatasetInvalidError, match="holds cases"):
        run("export", "answers", home / "no", "--to", "custom-speech")


def test_without_papers_it_stays(home: Path) -> None:
    run("add", "calls", calls(home / "in"), "--locale", "en-US")
    with pytest.raises(DatasetRefusedError, match="--license"):
        run("export", "calls", home / "out", "--to", "custom-translator")


def test_a_dictionary_needs_two_columns(home: Path) -> None:
    run("add", "calls", calls(home / "in"), "--locale", "en-US", *CARD)
    (home / "words.tsv").write_text("Contoso\n")
    with pytest.raises(DatasetInvalidError, match="line 1: two columns"):
        run(
            "export", "calls", home / "out", "--to", "custom-translator", "--dictionary", "en", "de", home / "words.tsv"
        )
    (home / "words.tsv").write_text("Contoso Desk\tContoso-Schalter\n")
    done = run(
        "export", "calls", home / "out", "--to", "custom-translator", "--dictionary", "en", "de", home / "words.tsv"
    )
    assert done.stdout.splitlines()[1].startswith("en-de/phrase-dictionary_en.align")
