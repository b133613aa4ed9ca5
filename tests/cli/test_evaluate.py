"""The commands of the evaluation, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dragoman.evaluation.report import Report, read_report

pytestmark = pytest.mark.slow


def dragoman(*words: object, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dragoman", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env=os.environ | {"DRAGOMAN_DATA": str(home), "COLUMNS": "120"} | environment,
    )


def figures(report: Report) -> dict[str, float | None]:
    """Return the figures that no clock has touched."""
    timed = ("rtf", "work", "pace", "_ms_")
    return {name: each.value for name, each in report.metrics.items() if not any(part in name for part in timed)}


def test_a_killed_evaluation_goes_on_and_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    words = ["evaluate", "--tag", "demo", "--translate", "en"]
    whole = dragoman(*words, "-o", tmp_path / "whole", home=tmp_path)
    assert whole.returncode == 0, whole.stderr
    command = [sys.executable, "-m", "dragoman", *words, "-o", str(tmp_path / "killed"), "-j", "1"]
    results = tmp_path / "killed" / "results"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while len(list(results.glob("*.json"))) < 2:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = {file.name: file.stat().st_mtime_ns for file in results.glob("*.json")}
    assert 2 <= len(kept) < 5
    again = dragoman(*words, "-o", tmp_path / "killed", "-j", 1, home=tmp_path)
    assert again.returncode == 0, again.stderr
    assert {name: (results / name).stat().st_mtime_ns for name in kept} == kept
    assert figures(read_report(tmp_path / "killed")) == figures(read_report(tmp_path / "whole"))


def test_a_report_is_judged_compared_and_logged(tmp_path: Path) -> None:
    folder = tmp_path / "insight"
    made = dragoman("evaluate", "--stage", "insight", "-o", folder, "--gate", "--track", home=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "passed" in made.stdout
    assert "Groundedness" in made.stdout
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "passed, 17 of 17 checks hold" in page
    assert (tmp_path / "mlflow.db").is_file()

    summary = tmp_path / "summary.md"
    judged = dragoman("gate", folder, "-f", "github", home=tmp_path, GITHUB_STEP_SUMMARY=str(summary))
    assert judged.returncode == 0
    assert "✅ passed" in summary.read_text(encoding="utf-8")

    strict = tmp_path / "gate.toml"
    strict.write_text('stage = "insight"\n[[rules]]\nmetric = "coverage"\nlimit = 0.99\n')
    stopped = dragoman("gate", folder, "--rules", strict, "-f", "json", home=tmp_path)
    assert stopped.returncode == 1
    (check,) = json.loads(stopped.stdout)["checks"]
    assert check["reason"] == "coverage, all: 0.8, limit 0.99."
    noted = dragoman("gate", folder, "--rules", strict, "-f", "github", home=tmp_path)
    assert "::error title=gate insight::coverage, all: 0.8, limit 0.99." in noted.stdout

    accepted = dragoman("gate", folder, "--rules", strict, "--accept", home=tmp_path)
    assert accepted.returncode == 1  # what breaks a limit is no baseline either
    assert not (tmp_path / "baseline.json").exists()
    strict.write_text('stage = "insight"\n[[rules]]\nmetric = "coverage"\nregression = { absolute = 0.1 }\n')
    assert "no baseline" in dragoman("gate", folder, "--rules", strict, home=tmp_path).stdout
    assert dragoman("gate", folder, "--rules", strict, "--accept", home=tmp_path).returncode == 0
    assert dragoman("gate", folder, "--rules", strict, home=tmp_path).returncode == 0

    compared = dragoman("compare", folder, folder, "-f", "json", home=tmp_path)
    assert {each["outcome"] for each in json.loads(compared.stdout)} == {"unsure"}


def test_a_sweep_compares_variants_with_the_first_and_logs_them_below_one_run(tmp_path: Path) -> None:
    variants = tmp_path / "beams.toml"
    variants.write_text(
        'stage = "speech"\n[[variants]]\nname = "greedy"\n[[variants]]\nname = "beam 5"\nsettings = { beam_size = 5 }\n'
    )
    swept = dragoman("sweep", variants, "--limit", 3, "-o", tmp_path / "runs", "--track", home=tmp_path)
    assert swept.returncode == 0, swept.stderr
    assert "beam 5 beside greedy" in swept.stdout
    beams = [read_report(tmp_path / "runs" / name).candidate["beam_size"] for name in ("greedy", "beam 5")]
    assert beams == [1, 5]
    code = (
        "import sys; from mlflow.tracking import MlflowClient\n"
        "client = MlflowClient(sys.argv[1])\n"
        "runs = client.search_runs([client.get_experiment_by_name('dragoman-speech').experiment_id])\n"
        "parents = [run.data.tags.get('mlflow.parentRunId') for run in runs]\n"
        "logged = [run for run in runs if run.data.metrics]\n"
        "print(len(runs), len(set(parents) - {None}), sorted(run.data.params['beam_size'] for run in logged))\n"
        "print(sorted(each.path for each in client.list_artifacts(logged[0].info.run_id)))\n"
    )
    seen = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, f"sqlite:///{tmp_path / 'mlflow.db'}"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    assert seen.stdout.splitlines()[-2:] == ["3 1 ['1', '5']", "['report.html', 'report.json']"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["evaluate", "nowhere-to-be-found"], 1, "nowhere-to-be-found"),
        (["evaluate", "--tag", "no such tag"], 1, "no recordings"),
        (["evaluate", "--stage", "insight", "samples/audio"], 1, "no cases"),
        (["compare", "README.md", "README.md"], 1, "no report"),
        (["gate", "README.md"], 1, "no report"),
        (["sweep", "README.md"], 1, "cannot be read"),
    ],
)
def test_what_cannot_be_done_says_why(words: list[str], code: int, says: str, tmp_path: Path) -> None:
    done = dragoman(*words, *(["-o", tmp_path / "out"] if words[0] == "evaluate" else []), home=tmp_path)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
