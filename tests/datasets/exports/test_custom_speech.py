"""Archives hold what the page of Custom Speech asks for, and what is in them is what was said."""

import asyncio
import io
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.drafts import read_drafts
from dragoman.datasets.exports.custom_speech import SpeechWishes, export_custom_speech
from dragoman.datasets.exports.outcome import Exported, Reason
from dragoman.datasets.exports.speech_archive import ArchiveLimits, inspect_archive
from dragoman.datasets.items import Card, RecordingItem, Reference
from dragoman.datasets.objects import sha256_of
from dragoman.domain.errors import DatasetInvalidError
from tests.datasets.sounds import RATE_HZ, Signal, tone, write_wav

CARD = Card(name="calls", license="CC0-1.0", consent="machine", provenance="made for a test")
GOOD, LATER = "Good morning, this is the parcel desk.", "Your order 775375 left the depot on Monday."


def said(start_ms: int, end_ms: int, text: str, locale: str = "en-US", channel: int = 0) -> Reference:
    return Reference(start_ms=start_ms, end_ms=end_ms, locale=locale, text=text, channel=channel)


def recording(
    folder: Path, name: str, *utterances: Reference, split: str | None = None, channels: tuple[Signal, ...] = ()
) -> RecordingItem:
    sound = channels or (tone(4.0),)
    path = write_wav(folder / name, *sound)
    return RecordingItem(
        file=name,
        sha256=sha256_of(path),
        duration_ms=len(sound[0]) * 1_000 // RATE_HZ,
        channels=len(sound),
        split=split,
        utterances=utterances,
    )


def export(folder: Path, items: list[RecordingItem], wishes: SpeechWishes | None = None) -> tuple[Exported, Path]:
    out = folder / "out"
    dataset = Dataset(CARD, tuple(items), (), folder)
    return asyncio.run(export_custom_speech(dataset, out, wishes or SpeechWishes())), out


def sounds(archive: Path) -> dict[str, tuple[wave._wave_params, bytes]]:
    found = {}
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            if name.endswith(".wav"):
                with wave.open(io.BytesIO(opened.read(name))) as sound:
                    found[name] = (sound.getparams(), sound.readframes(sound.getnframes()))
    return found


def lines(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.read("trans.txt").decode("utf-8-sig").splitlines()


def test_what_is_exported_can_be_added_again(tmp_path: Path) -> None:
    item = recording(tmp_path, "monday.wav", said(500, 1_500, GOOD), said(2_000, 3_500, LATER))
    exported, out = export(tmp_path, [item])
    assert [file.file for file in exported.files] == ["en-US-related-text.txt", "en-US-train-001.zip"]
    assert exported.left_out == ()
    with zipfile.ZipFile(out / "en-US-train-001.zip") as opened:
        opened.extractall(tmp_path / "again")
    drafts = read_drafts(tmp_path / "again")
    assert [draft.given["utterances"] for draft in drafts] == [[{"text": GOOD}], [{"text": LATER}]]
    whole = np.rint(tone(4.0) * 32_768).astype("<i2")
    for params, pcm in sounds(out / "en-US-train-001.zip").values():
        assert (params.nchannels, params.sampwidth, params.framerate, params.comptype) == (1, 2, 16_000, "NONE")
        assert len(pcm) // 2 in (2_000 * 16, 2_500 * 16)  # with half a second on either side, as far as there is one
    first = sounds(out / "en-US-train-001.zip")[drafts[0].file][1]
    assert np.array_equal(np.frombuffer(first, "<i2"), whole[: 2_000 * 16])


def test_languages_and_parts_have_archives_of_their_own(tmp_path: Path) -> None:
    items = [
        recording(tmp_path, "a.wav", said(0, 1_000, GOOD), said(1_500, 2_500, "Guten Tag, schön.", "de-DE")),
        recording(tmp_path, "b.wav", said(0, 1_000, LATER), split="test", channels=(tone(2.0, 500),)),
    ]
    exported, out = export(tmp_path, items)
    named = [file.file for file in exported.files if file.file.endswith(".zip")]
    assert named == ["de-DE-train-001.zip", "en-US-test-001.zip", "en-US-train-001.zip"]
    with zipfile.ZipFile(out / "de-DE-train-001.zip") as opened:
        assert opened.read("trans.txt").startswith(b"\xef\xbb\xbf")
    with zipfile.ZipFile(out / "en-US-train-001.zip") as opened:
        assert opened.read("trans.txt").isascii()
    text = (out / "en-US-related-text.txt").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    assert text.decode("utf-8-sig").splitlines() == [GOOD]  # what is tested is not taught
    assert any("half an hour" in note for note in exported.notes)


def test_each_channel_is_cut_from_itself(tmp_path: Path) -> None:
    channels = (tone(3.0, 300), tone(3.0, 900))
    item = recording(tmp_path, "s.wav", said(0, 2_000, GOOD), said(1_000, 3_000, LATER, channel=1), channels=channels)
    _, out = export(tmp_path, [item])
    for name, (_, pcm) in sounds(out / "en-US-train-001.zip").items():
        samples = np.frombuffer(pcm, "<i2").astype(float)
        loudest_hz = int(np.argmax(np.abs(np.fft.rfft(samples)))) * 16_000 / len(samples)
        assert loudest_hz == pytest.approx(300 if name.endswith("-00000000.wav") else 900, abs=3)


def test_telephone_audio_stays_at_8_khz(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "t.wav", tone(2.0)[::2], rate_hz=8_000)
    item = RecordingItem(
        file="t.wav", sha256=sha256_of(path), duration_ms=2_000, sample_rate_hz=8_000,
        utterances=(said(0, 2_000, GOOD),),
    )  # fmt: skip
    _, out = export(tmp_path, [item])
    ((params, _),) = sounds(out / "en-US-train-001.zip").values()
    assert params.framerate == 8_000
    assert params.nframes == pytest.approx(16_000, abs=2)


def test_archives_are_as_large_as_they_may_be_and_no_larger(tmp_path: Path) -> None:
    items = [
        recording(tmp_path, f"{at}.wav", said(0, 500, f"This is number {at}."), channels=(tone(0.5, 300 + 90 * at),))
        for at in range(5)
    ]
    limits = ArchiveLimits(max_files=3)
    exported, out = export(tmp_path, items, SpeechWishes(limits=limits))
    archives = [file for file in exported.files if file.file.endswith(".zip")]
    assert [file.entries for file in archives] == [2, 2, 1]
    assert len({line.partition("\t")[0] for file in archives for line in lines(out / file.file)}) == 5
    small = ArchiveLimits(max_bytes=40_000)
    exported, _ = export(tmp_path / "small", [], SpeechWishes(limits=small))
    assert exported.files == ()


def test_every_refused_utterance_is_named_with_its_reason(tmp_path: Path) -> None:
    held_out = recording(tmp_path / "eval", "e.wav", said(0, 900, LATER), channels=(tone(1.0, 800),))
    evaluation = Dataset(CARD.model_copy(update={"name": "gate"}), (held_out,), (), tmp_path / "eval")
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    items = [
        recording(tmp_path, "a.wav", said(0, 900, GOOD), said(1_000, 1_500, "naïve"), said(2_000, 2_900, LATER)),
        recording(tmp_path, "same.wav", said(0, 900, "Something else."), channels=(tone(1.0, 800),)),
        RecordingItem(
            file="broken.wav", sha256=sha256_of(broken), duration_ms=900, utterances=(said(0, 900, "Never heard."),)
        ),
    ]
    exported, out = export(tmp_path, items, SpeechWishes(avoided=(evaluation,)))
    found = {each.item: (each.reason, each.why) for each in exported.left_out}
    assert {item: reason for item, (reason, _) in found.items()} == {
        "a.wav 1000-1500 ms": Reason.CHARACTERS,
        "a.wav 2000-2900 ms": Reason.EVALUATION,
        "same.wav": Reason.EVALUATION,
        "broken.wav": Reason.AUDIO,
    }  # fmt: skip
    assert evaluation.reference in found["same.wav"][1]
    assert [line.partition("\t")[2] for line in lines(out / "en-US-train-001.zip")] == [GOOD]


def test_pronunciations_are_tab_separated_with_a_mark(tmp_path: Path) -> None:
    wishes = SpeechWishes(pronunciations={"en-US": [("3CPO", "three  c p o"), ("IEEE", "i triple e"), ("", "x")]})
    exported, out = export(tmp_path, [recording(tmp_path, "a.wav", said(0, 900, GOOD))], wishes)
    assert (out / "en-US-pronunciation.txt").read_bytes() == b"\xef\xbb\xbf3CPO\tthree c p o\nIEEE\ti triple e\n"
    assert [each.reason for each in exported.left_out] == [Reason.SHAPE]


def test_an_archive_that_is_not_right_does_not_leave(tmp_path: Path) -> None:
    _, out = export(tmp_path, [recording(tmp_path, "a.wav", said(0, 3_000, GOOD))])
    archive = out / "en-US-train-001.zip"
    inspect_archive(archive, "en-US", 40_000, ArchiveLimits())
    for locale, longest_ms, files, wrong in (
        ("de-DE", 40_000, 10, "byte-order"),
        ("en-US", 1_000, 10, "too long"),
        ("en-US", 40_000, 1, "too much"),
    ):
        with pytest.raises(DatasetInvalidError, match=wrong):
            inspect_archive(archive, locale, longest_ms, ArchiveLimits(max_files=files))
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("more.wav", b"")
    with pytest.raises(DatasetInvalidError, match="name each other"):
        inspect_archive(archive, "en-US", 40_000, ArchiveLimits())


def test_a_split_that_says_nothing_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(DatasetInvalidError, match="train, dev and test"):
        export(tmp_path, [recording(tmp_path, "a.wav", said(0, 900, GOOD), split="monday")])
