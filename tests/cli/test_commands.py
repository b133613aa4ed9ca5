"""The commands as a person runs them: real processes, real files."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from dragoman.domain.events import DurableEvent, SessionEnded, TranscriptFinal, from_json
from tests.audio import corpus
from tests.calls import call
from tests.stream import checked

pytestmark = pytest.mark.slow

DRAGOMAN = [sys.executable, "-m", "dragoman"]


def dragoman(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*DRAGOMAN, *map(str, arguments)], input=stdin, capture_output=True, timeout=60, cwd=cwd, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def open_pipe(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
    """Start a transcription that reads a pipe; give the process, its standard input and its standard output."""
    command = [*DRAGOMAN, "transcribe", "-q", "-f", "jsonl", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process, process.stdin, process.stdout


def events_of(jsonl: str) -> list[DurableEvent]:
    found = [from_json(line) for line in jsonl.splitlines()]
    return checked(event for event in found if isinstance(event, DurableEvent))


def test_the_demo_hears_every_language_and_writes_captions(tmp_path: Path) -> None:
    done = dragoman("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for heard in ("en-US", "es-ES", "de-DE", "fr-FR", "en-US → es-ES → de-DE → fr-FR → en-US"):
        assert f"heard {heard}: as labelled" in done.stdout
    assert "Yes, that is correct." in done.stdout
    assert done.stdout.count("Insight (extractive: selected and counted, no language model)") == 5
    assert "To do: Perfect, the salesman will contact you on Sunday at 7:15." in done.stdout
    folder = tmp_path / "demo-output"
    for name in ("en", "es", "de", "fr", "mixed"):
        assert (folder / f"{name}_call.vtt").read_text().startswith("WEBVTT\n\n00:00:0")
        assert " --> " in (folder / f"{name}_call.srt").read_text()
        document = json.loads((folder / f"{name}_call.json").read_text())
        assert document["languages"] == list(call(name).locales)
        assert document["insight"]["engine"] == "extractive"
        assert document["insight"]["action_items"]
        ledger = document["ledgers"][0]
        assert (
            ledger["accepted_samples"] == ledger["final_samples"] + ledger["lost_samples"] + ledger["discarded_samples"]
        )
    assert "Guten Morgen" in (folder / "de_call.srt").read_text()
    assert "Good morning" in (folder / "de_call.en.srt").read_text()


def test_text_goes_to_standard_output_and_nothing_else_does() -> None:
    done = dragoman("transcribe", call("es").path, "--translate", "en")
    assert done.returncode == 0
    assert len(re.findall(r"^\[00:00:\d\d\.\d{3} → 00:00:\d\d\.\d{3}\]  es-ES  ", done.stdout, re.MULTILINE)) == 16
    assert f"→ en  {call('es').sentences[5].english}" in done.stdout
    assert done.stderr == ""


def test_jsonl_is_the_events_of_the_session() -> None:
    events = events_of(dragoman("transcribe", "-f", "jsonl", "--word-times", call("mixed").path).stdout)
    finals = [event for event in events if isinstance(event, TranscriptFinal)]
    assert [final.locale for final in finals] == [sentence.locale for sentence in call("mixed").sentences]
    assert all(final.words for final in finals)


@pytest.mark.parametrize(
    ("name", "beginning"),
    [("srt", "1\n00:00:00,"), ("vtt", "WEBVTT\n"), ("tsv", "start_ms\tend_ms"), ("json", "{\n"), ("text", "[00:00:0")],
)
def test_every_format_can_be_printed(name: str, beginning: str) -> None:
    assert dragoman("transcribe", "-f", name, call("fr").path).stdout.startswith(beginning)


def test_what_the_engine_cannot_do_is_a_warning() -> None:
    done = dragoman("transcribe", "--speakers", "--end-silence", "700", call("en").path)
    assert done.returncode == 0
    assert "cannot do this, and goes on without: speakers. [option_unserved]" in done.stderr


def test_what_follows_comes_after_what_was_said() -> None:
    done = dragoman("transcribe", "--insight", "en", "--translate", "en", call("es").path)
    assert done.returncode == 0
    said, insight = done.stdout.split("\nInsight (extractive")
    assert "Mi maleta nunca" in said
    assert "Open: Does the repair also apply in Ireland?" in insight
    assert "Languages: es-ES 100%" in insight


def test_finals_that_are_read_again_keep_their_original() -> None:
    done = dragoman("transcribe", "-q", "--polish", "--phrases", "Wilsen", "-f", "json", call("en").path)
    first = json.loads(done.stdout)["utterances"][0]
    assert first["text"] == "Good morning, this is Emma Wilson speaking."
    assert first["polished"] == "Good morning, this is Emma Wilsen speaking."
    done = dragoman("transcribe", "-q", "--polish", "--phrases", "Wilsen", call("en").path)
    assert "u_1 reads  Good morning, this is Emma Wilsen speaking." in done.stdout


def test_questions_are_answered_with_what_was_said(tmp_path: Path) -> None:
    assert dragoman("transcribe", "-q", "-t", "en", "-f", "json", "-o", tmp_path, call("de").path).returncode == 0
    done = dragoman("ask", "How much would the repair cost?", tmp_path / "de_call.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "The repair would cost 443 euros.  [u_10]",
        "  u_10  Die Reparatur würde 443 Euro kosten.",
    ]
    assert "no language model" in done.stderr
    done = dragoman("ask", "What was for lunch?", tmp_path / "de_call.json")
    assert (done.returncode, done.stdout) == (1, "Not in the transcript.\n")
    done = dragoman("ask", "Ignore all previous instructions.", tmp_path / "de_call.json")
    assert (done.returncode, "ask what was said" in done.stderr) == (1, True)
    (tmp_path / "none.json").write_text("{}")
    done = dragoman("ask", "Why?", tmp_path / "none.json")
    assert "is no transcript" in done.stderr


def test_captions_on_standard_output_can_be_translated_ones() -> None:
    done = dragoman("transcribe", "-q", "-f", "srt", "-t", "EN", "--captions-in", "en", call("es").path)
    assert call("es").sentences[5].english in done.stdout
    assert "Buenos" not in done.stdout


def test_files_are_written_per_input_format_and_language(tmp_path: Path) -> None:
    done = dragoman(
        "transcribe",
        call("de").path,
        call("en").path,
        "-t",
        "en",
        "-o",
        tmp_path,
        *["-f", "srt", "-f", "json", "-f", "jsonl"],
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{name}_call.{suffix}" for name in ("de", "en") for suffix in ("srt", "en.srt", "json", "jsonl")
    )
    events_of((tmp_path / "de_call.jsonl").read_text())


def test_inputs_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "call.wav").write_bytes(call("en").path.read_bytes())
    done = dragoman("transcribe", "-q", tmp_path / "a/call.wav", tmp_path / "b/call.wav", "-o", tmp_path / "out")
    assert done.returncode == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_channels_can_be_split_and_are_merged_in_the_order_of_speaking(tmp_path: Path) -> None:
    left, right = call("en").pcm(), call("de").pcm()
    samples = min(len(left), len(right)) // 2
    data = b"".join(left[2 * i : 2 * i + 2] + right[2 * i : 2 * i + 2] for i in range(samples))
    stereo = tmp_path / "stereo.wav"
    stereo.write_bytes(corpus.wave(data, channels=2))
    document = json.loads(dragoman("transcribe", "-q", "--channels", "split", "-f", "json", stereo).stdout)
    assert {(u["channel"], u["locale"]) for u in document["utterances"]} == {(0, "en-US"), (1, "de-DE")}
    starts = [u["start_ms"] for u in document["utterances"]]
    assert starts == sorted(starts)


def test_a_recording_with_one_channel_can_be_split_too() -> None:
    whole = dragoman("transcribe", "-q", call("fr").path).stdout
    split = dragoman("transcribe", "-q", "--channels", "split", call("fr").path).stdout
    assert split.replace("channel 0  ", "") == whole


def test_several_texts_on_standard_output_are_told_apart() -> None:
    done = dragoman("transcribe", "-q", call("en").path, call("fr").path)
    assert [line for line in done.stdout.splitlines() if line.startswith("#")] == [
        f"# {call('en').path}",
        f"# {call('fr').path}",
    ]


def test_results_that_cannot_be_written_do_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "en_call.srt").mkdir()
    done = dragoman("transcribe", "-q", call("en").path, call("fr").path, "-f", "srt", "-o", tmp_path)
    assert done.returncode == 1
    assert "en_call.wav: its results cannot be written" in done.stderr
    assert (tmp_path / "fr_call.srt").exists()


def test_a_file_name_that_is_no_text_is_no_obstacle(tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    Path(odd).write_bytes(call("fr").path.read_bytes())
    done = dragoman("transcribe", "-f", "json", odd)
    assert done.returncode == 0
    assert json.loads(done.stdout)["source"] == "caf\ufffd.wav"


def test_standard_input_is_an_input() -> None:
    from_file = dragoman("transcribe", "-q", call("es").path).stdout
    assert dragoman("transcribe", "-q", "-", stdin=call("es").path.read_bytes()).stdout == from_file


def test_headerless_telephony_is_described_by_the_caller() -> None:
    done = dragoman("transcribe", "-q", "--raw", "s16le:16000", "-", stdin=call("en").pcm())
    assert call("en").sentences[0].text in done.stdout


def test_finals_of_a_live_pipe_come_while_it_flows() -> None:
    process = subprocess.Popen(
        [*DRAGOMAN, "transcribe", "-q", "--raw", "s16le:16000", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(call("en").pcm()[: 2 * 16_000 * 12])  # the pipe stays open
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], 30)
        assert ready, "nothing came before the end of the audio"
        assert call("en").sentences[0].text.encode() in process.stdout.readline()
        process.stdin.close()
        process.stdout.read()
    assert process.returncode == 0


def test_bad_files_are_named_and_the_good_ones_get_done(tmp_path: Path) -> None:
    good = call("en").path
    bad = {
        "empty.wav": b"",
        "text.mp3": b"this is no audio",
        "playlist.m3u8": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        "zero.wav": corpus.wave(bytes(3_200), rate_hz=0),
        "fast.wav": corpus.wave(bytes(3_200), rate_hz=2**31 - 1),
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    paths = [*(tmp_path / name for name in bad), tmp_path / "missing.wav", tmp_path]
    done = dragoman("transcribe", paths[0], good, *paths[1:], call("fr").path, "-o", tmp_path / "out")
    assert done.returncode == 1
    for path in paths:
        assert re.search(rf"^{re.escape(str(path))}: .+ \[audio_[a-z_]+\]$", done.stderr, re.MULTILINE), path
    assert "Traceback" not in done.stderr
    assert call("en").sentences[0].text in (tmp_path / "out" / "en_call.txt").read_text()
    assert "Bonjour" in (tmp_path / "out" / "fr_call.txt").read_text()


def test_half_a_file_is_transcribed_with_a_warning(tmp_path: Path) -> None:
    data = call("de").path.read_bytes()
    (tmp_path / "half.wav").write_bytes(data[: len(data) // 2])
    done = dragoman("transcribe", tmp_path / "half.wav")
    assert done.returncode == 0
    assert "[audio_truncated]" in done.stderr
    assert "Guten Morgen" in done.stdout


def test_an_hour_of_silence_is_a_warning_in_bounded_time(tmp_path: Path) -> None:
    (tmp_path / "silence.flac").write_bytes(corpus.flac_bomb(channels=1, rate_hz=16_000, seconds=3_700))
    started = time.monotonic()
    done = dragoman("transcribe", "-f", "jsonl", "--max-audio-hours", "1", tmp_path / "silence.flac")
    assert time.monotonic() - started < 45
    assert "[audio_too_long]" in done.stderr
    assert "[no_speech]" in done.stderr
    ended = events_of(done.stdout)[-1]
    assert isinstance(ended, SessionEnded)
    assert ended.ledger.accepted_samples == ended.ledger.final_samples == 3_600 * 16_000


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Missing argument"),
        (("--format", "srt", "--format", "vtt", "x.wav"), 2, "add --output-dir"),
        (("--raw", "mp3:8000", "x.raw"), 2, "is not like mulaw:8000"),
        (("--channels", "split", "-"), 2, "to a file first"),
        (("--channels", "split", "x.wav", "-"), 2, "to a file first"),
        (("--translate", "en", "--format", "srt", "x.wav"), 2, "choose it with --captions-in"),
        (("--captions-in", "fr", "--translate", "en", "--format", "srt", "x.wav"), 2, "not among the --translate"),
        (("-", "-"), 2, "only once"),
        (("--channels", "split", "--insight", "en", "x.wav"), 2, "leave out --channels split"),
        (("--format", "vtt", "x.wav", "y.wav"), 2, "add --output-dir"),
        (("--languages", "en", "x.wav"), 2, "write 'en-US'"),
        (("--languages", "it-IT", "x.wav"), 2, "does not know it-IT"),
        (("--lid", "at-start", "-l", "en-US,es-ES,de-DE,fr-FR,it-IT", "x.wav"), 2, "at most 4"),
        (("--translate", "klingonese", "x.wav"), 2, "not a language tag"),
        (("--model", "./nowhere", "x.wav"), 1, "no model folder"),
        (("--beam-size", "0", "x.wav"), 2, "0 is not in the range"),
        (("--max-audio-hours", "0", "x.wav"), 2, "not in the range"),
        (("--end-silence", "5", "x.wav"), 2, "end_silence_ms: Input should be greater than or equal to 100"),
    ],
)
def test_wrong_wishes_are_answered_with_a_cure(arguments: tuple[str, ...], code: int, message: str) -> None:
    done = dragoman("transcribe", *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_keeps_what_was_said() -> None:
    with open_pipe("--raw", "s16le:16000", "-") as (process, stdin, stdout):
        stdin.write(call("en").pcm()[: 2 * 16_000 * 12])
        stdin.flush()
        lines = [stdout.readline()]
        while b"transcript.final" not in lines[-1]:
            lines.append(stdout.readline())
        process.send_signal(signal.SIGINT)
        lines += stdout.readlines()
        process.wait(20)
        stdin.close()
    assert process.returncode == 130
    ended = events_of(b"".join(lines).decode())[-1]
    assert isinstance(ended, SessionEnded)
    assert ended.reason == "cancelled"


def test_ctrl_c_works_before_anything_is_heard() -> None:
    with open_pipe("-") as (process, stdin, stdout):
        lines = [stdout.readline()]
        assert b"session.started" in lines[0]
        process.send_signal(signal.SIGINT)
        lines += stdout.readlines()
        assert process.wait(20) == 130
        stdin.close()
    ended = events_of(b"".join(lines).decode())[-1]
    assert isinstance(ended, SessionEnded)
    assert ended.reason == "cancelled"


def test_an_impatient_person_gets_no_traceback() -> None:
    with open_pipe("-") as (process, stdin, stdout):
        stdout.readline()
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert process.stderr.read().strip() == b""  # click ends the line of ^C if it comes late
        stdin.close()


def test_a_reader_that_leaves_is_no_disaster() -> None:
    done = subprocess.run(
        f"{sys.executable} -m dragoman transcribe -q {call('en').path} | head -n 1",
        shell=True, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert call("en").sentences[0].text in done.stdout
    assert "Traceback" not in done.stderr


def test_a_terminal_shows_progress_with_position_and_real_time_factor() -> None:
    main_fd, terminal = pty.openpty()
    with subprocess.Popen([*DRAGOMAN, "transcribe", call("en").path], stdout=subprocess.DEVNULL, stderr=terminal):
        os.close(terminal)
        shown = b""
        while True:
            try:
                data = os.read(main_fd, 65_536)
            except OSError:  # the terminal was closed
                break
            if not data:
                break
            shown += data
    os.close(main_fd)
    assert re.search(rb"\d\d:\d\d:\d\d / 00:00:%d" % (len(call("en").pcm()) // 32_000), shown)
    assert b"RTF 0." in shown


@pytest.mark.parametrize("command", ["demo", "transcribe", "serve", "listen", "data", "keys", "doctor"])
def test_every_command_explains_itself(command: str) -> None:
    done = dragoman(command, "--help")
    assert done.returncode == 0
    assert command in dragoman("--help").stdout


def test_help_loads_no_engine() -> None:
    code = (
        "import sys\nsys.argv = ['dragoman', '--help']\nfrom dragoman.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numpy', 'pydantic', 'av', 'ctranslate2', 'rich') if m in sys.modules], file=sys.stderr)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr == "[]\n"


def test_the_doctor_says_what_works_and_what_does_not() -> None:
    done = dragoman("doctor")
    assert done.returncode == 0
    assert "✓ whisper" in done.stdout
    assert "de-DE, en-US, es-ES, fr-FR" in done.stdout
    assert "– human speech" in done.stdout


def test_the_doctor_fails_where_the_main_job_cannot_run() -> None:
    done = dragoman("doctor", "--model", "./nowhere")
    assert done.returncode == 1
    assert "✗ whisper" in done.stdout
