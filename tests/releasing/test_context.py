"""What an image is built from is sent, and nothing else."""

from pathlib import Path

import pytest

from dragoman.domain.errors import ReleaseInvalidError
from dragoman.releasing.context import stage
from dragoman.resources import flows_folder


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def sent(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_what_is_ignored_is_not_sent(tmp_path: Path) -> None:
    context, made = tmp_path / "context", tmp_path / "made"
    made.mkdir()
    write(context, "a.py", "docs/b.md", ".venv/lib/c.py", "samples/d.wav", "samples/d_call.wav", "x/__pycache__/e.pyc")
    (context / ".amlignore").write_text("docs\n.venv*\n__pycache__\nsamples/*.wav\n!samples/*_call.wav\n")
    (context / "broken").symlink_to("nowhere")
    assert stage(context, made) == 3
    assert sent(made) == {".amlignore", "a.py", "samples/d_call.wav"}


def test_nothing_is_no_context(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    with pytest.raises(ReleaseInvalidError, match="nothing to build an image from"):
        stage(tmp_path / "nowhere", tmp_path / "made")


def test_everything_that_the_dockerfile_copies_is_sent(tmp_path: Path) -> None:
    checkout = flows_folder().parent
    stage(checkout, tmp_path)
    copied = [
        source
        for line in (checkout / "flows" / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    assert len(copied) >= 7
    assert all((tmp_path / source).exists() for source in copied)
    assert not {"tests", ".git", "docs", "evaluation"} & {each.name for each in tmp_path.iterdir()}
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < 40e6
