"""The Speech SDK for JavaScript against the emulator."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from dragoman.emulator.admission import KEY
from tests.calls import call
from tests.emulated import Emulator
from tests.emulator.test_native_sdk import TICKS_PER_MS, assert_says, beginning
from tests.npm import installed

pytestmark = pytest.mark.slow

HERE: Final = Path(__file__).parent / "javascript"


@pytest.fixture(scope="module")
def node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node on this machine")
    installed(HERE)
    return node


def recognized(node: str, emulator: Emulator, mode: str, pcm: bytes, folder: Path, key: str = KEY) -> dict[str, Any]:
    file = folder / "audio.pcm"
    file.write_bytes(pcm)
    command = [node, "recognize.mjs", f"ws://{emulator.address}/stt/speech/universal/v2", key, mode, str(file)]
    if mode in ("once", "continuous"):  # and the paths of the first version
        kind = "interactive" if mode == "once" else "conversation"
        command[2] = (
            f"ws://{emulator.address}/speech/recognition/{kind}/cognitiveservices/v1?language=es-ES&format=detailed"
        )
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("mode", ["once", "continuous", "translate", "converse"])
def test_a_fixed_language(node: str, emulator: Emulator, tmp_path: Path, mode: str) -> None:
    pcm, said = beginning("es", 2)
    told = recognized(node, emulator, mode, pcm, tmp_path)
    said = said[:1] if mode == "once" else said
    assert_says([final["text"] for final in told["finals"]], said)
    for final, sentence in zip(told["finals"], said, strict=True):
        assert abs(final["offset"] / TICKS_PER_MS - sentence.start_ms) < 300
    if mode == "translate":
        assert all(set(final["translations"]) == {"en", "de"} for final in told["finals"])
    if mode == "converse":
        assert {final["speaker"] for final in told["finals"]} == {"Unknown"}


@pytest.mark.parametrize("mode", ["at-start", "continuously", "translate-continuously"])
def test_languages_are_identified(node: str, emulator: Emulator, tmp_path: Path, mode: str) -> None:
    name, sentences = ("fr", 2) if mode == "at-start" else ("mixed", 5)
    pcm, said = beginning(name, sentences)
    told = recognized(node, emulator, mode, pcm, tmp_path)
    assert_says([final["text"] for final in told["finals"]], said)
    assert [final["language"] for final in told["finals"]] == [sentence.locale for sentence in said]


def test_a_wrong_key_is_refused(node: str, emulator: Emulator, tmp_path: Path) -> None:
    told = recognized(node, emulator, "continuously", call("en").pcm()[:64_000], tmp_path, key="another")
    assert told["finals"] == []
    assert told["cancelled"]
