"""What folders say of their recordings: manifests, tables, texts."""

from pathlib import Path

import pytest

from dragoman.datasets.drafts import read_drafts
from dragoman.domain.errors import DatasetInvalidError


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_texts_lie_beside_their_recordings(tmp_path: Path) -> None:
    texts = {"a.txt": " Good\n morning. ", "notes.md": "x"}
    write(tmp_path, {"a.wav": "", "sub/b.MP3": "", ".hidden/c.wav": "", **texts})
    assert [(draft.file, draft.given) for draft in read_drafts(tmp_path)] == [
        ("a.wav", {"utterances": [{"text": "Good morning."}]}),
        ("sub/b.MP3", {"utterances": []}),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("transcripts.csv", 'file,text,locale,split,start_ms,end_ms\na.wav,"Hello, you",en-US,test,0,900\n'),
        ("transcripts.tsv", "file\ttext\tlocale\tsplit\tstart_ms\tend_ms\na.wav\tHello, you\ten-US\ttest\t0\t900\n"),
        (
            "transcripts.jsonl",
            '{"file": "a.wav", "text": "Hello, you", "locale": "en-US", "split": "test", '
            '"start_ms": 0, "end_ms": 900}\n',
        ),
    ],
)
def test_tables_say_what_is_said_where(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {"a.wav": "", "b.wav": "", name: text})
    first, second = read_drafts(tmp_path)
    assert first.given == {
        "split": "test",
        "utterances": [{"text": "Hello, you", "locale": "en-US", "start_ms": 0, "end_ms": 900}],
    }
    assert (second.file, second.given) == ("b.wav", {"utterances": []})


def test_a_file_that_only_the_table_knows_is_offered_too(tmp_path: Path) -> None:
    write(tmp_path, {"transcripts.csv": "file,text\ngone.wav,Hello\n"})
    assert [draft.file for draft in read_drafts(tmp_path)] == ["gone.wav"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("transcripts.csv", "file,text,start\na.wav,Hi,3\n", "row 1: 'start'.*Columns are: file, text"),
        ("transcripts.csv", "file,text,start_ms\na.wav,Hi,soon\n", "row 1: 'start_ms'"),
        ("transcripts.csv", "file,text\na.wav,Hi,you\n", "beyond the last column"),
        ("transcripts.csv", "file,text,split\na.wav,Hi,dev\na.wav,You,test\n", "several values of 'split'"),
        ("transcripts.jsonl", "{", "cannot be read"),
        ("manifest.jsonl", "[1]", "line 1"),
        ("manifest.jsonl", '{"sha256": "0"}', "names no 'file'"),
        ("manifest.jsonl", "\n", "no recordings"),
        ("readme.md", "", "no audio files"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    write(tmp_path, {name: text})
    with pytest.raises(DatasetInvalidError, match=says):
        read_drafts(tmp_path)


def test_text_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.wav": ""})
    (tmp_path / "a.txt").write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(DatasetInvalidError, match=r"a\.txt' is not UTF-8"):
        read_drafts(tmp_path)
