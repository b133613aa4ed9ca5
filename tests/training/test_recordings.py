import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.resources import samples_folder
from training.recordings.casting import cast
from training.recordings.phrases import Phrasebook
from training.recordings.script import Recording, ScriptError, load_scripts

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HEAD = '[[recording]]\nfile = "a.flac"\ntitle = "A"\nseed = 1\nspeakers = { A = { variant = "f2" } }\n'


def write(folder: Path, *scripts: str) -> tuple[Recording, ...]:
    (folder / "some.toml").write_text("\n".join(scripts), encoding="utf-8")
    return load_scripts(folder)


@pytest.fixture(scope="module")
def phrasebook() -> Phrasebook:
    return Phrasebook()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (HEAD + "volume = 3", r"a\.flac: .*knows no \['volume'\]"),
        (HEAD.replace('title = "A"\n', ""), "needs file, title and seed"),
        (HEAD + 'lines = ["B en Yes."]', "'B en Yes.' must begin with a speaker and a language"),
        (HEAD + 'lines = ["A it Yes."]', "must begin with a speaker and a language"),
        (HEAD + HEAD, "a.flac is there twice"),
        (HEAD + HEAD.replace("a.flac", "b.flac"), r"seeds \[1\] are there twice"),
    ],
    ids=["unknown key", "no title", "unknown speaker", "unknown language", "file twice", "seed twice"],
)
def test_a_malformed_script_is_named_with_its_fault(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        write(tmp_path, script)


def test_a_line_says_who_speaks_what_and_how(tmp_path: Path) -> None:
    (recording,) = write(tmp_path, HEAD + 'lines = ["A de ~Yes, that is correct. | one, two"]')
    (line,) = recording.lines
    assert (line.speaker, line.language, line.pattern) == ("A", "de", "Yes, that is correct.")
    assert (line.opening_only, line.facts) == (True, ("one", "two"))
    assert (recording.codec, recording.channels) == ("flac", 1)


def test_each_sentence_is_handed_out_once_and_a_fixed_phrase_again(phrasebook: Phrasebook) -> None:
    sentences = [phrasebook.take("My order number is {code}.") for _ in range(20)]
    assert {sentence.split for sentence in sentences} == {"combination"}
    assert len({sentence.text("en") for sentence in sentences}) == 20
    fixed = [phrasebook.take("One moment, please.") for _ in range(3)]
    assert {(sentence.split, sentence.text("de")) for sentence in fixed} == {("train", "Einen Moment, bitte.")}


def test_facts_are_heeded_and_nobody_hesitates_unasked(phrasebook: Phrasebook) -> None:
    pattern = "A double room for {duration}, arriving {date.on}."
    assert "days" in phrasebook.take(pattern, ["days"]).text("en")
    hesitant, fluent = (phrasebook.take(pattern, hesitant=wanted).text("en").lower() for wanted in (True, False))
    assert any(filler in hesitant for filler in ("um,", "well,", "you know,"))
    assert not any(filler in fluent for filler in ("um,", "well,", "you know,"))


def test_a_pattern_that_is_held_out_altogether_is_refused(phrasebook: Phrasebook) -> None:
    with pytest.raises(ScriptError, match="'How are you today\\?' outside the held-out ones"):
        phrasebook.take("How are you today?")


def test_an_opening_ends_before_the_first_comma_in_every_language(tmp_path: Path) -> None:
    recordings = write(tmp_path, HEAD + 'lines = ["A fr ~Yes, that is correct."]')
    (cue,) = cast(recordings)["a.flac"].cues
    assert [cue.text(language) for language in ("en", "es", "de", "fr")] == ["Yes.", "Sí.", "Ja.", "Oui."]


@pytest.mark.slow
@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the recordings were made on Linux, x86-64; elsewhere the last bits of a sample may differ",
)
def test_a_recording_made_again_is_the_same_to_the_byte(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="training only: pip install 'dragoman[training]'")
    name = "short_answers_four_languages.flac"
    command = [sys.executable, "-m", "training.recordings", name, "--folder", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=110)
    committed = samples_folder() / "audio"
    lines = (committed / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    (truth,) = [entry for entry in map(json.loads, lines) if entry["file"] == name]
    assert json.loads((tmp_path / "manifest.jsonl").read_text(encoding="utf-8")) == truth
    assert (tmp_path / name).read_bytes() == (committed / name).read_bytes()
