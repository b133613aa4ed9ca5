"""The sample recordings are what their manifest says; made by ``training/recordings``."""

import hashlib
import itertools
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, with_config

from dragoman.resources import samples_folder

AUDIO = samples_folder() / "audio"
LANGUAGES = {"en", "es", "de", "fr"}
DEMO = ("en_call.wav", "es_call.wav", "de_call.wav", "fr_call.wav", "mixed_call.wav")
MARGIN_MS = 60
"""Sound too faint to count as speech, kept around each sentence."""


STRICT = ConfigDict(extra="forbid")


@with_config(STRICT)
@dataclass(frozen=True, kw_only=True)
class Word:
    text: str
    start_ms: int
    end_ms: int


@with_config(STRICT)
@dataclass(frozen=True, kw_only=True)
class Utterance:
    start_ms: int
    end_ms: int
    speaker: str
    channel: int = 0
    locale: str
    text: str
    translations: dict[str, str]
    split: str
    words: tuple[Word, ...]


@with_config(STRICT)
@dataclass(frozen=True, kw_only=True)
class Span:
    start_ms: int
    end_ms: int
    locale: str
    channel: int = 0


@with_config(STRICT)
@dataclass(frozen=True, kw_only=True)
class Noise:
    kind: str
    snr_db: float | None
    start_ms: int
    end_ms: int


@with_config(STRICT)
@dataclass(frozen=True, kw_only=True)
class Entry:
    file: str
    title: str
    tags: tuple[str, ...]
    duration_ms: int
    sample_rate_hz: int
    channels: int
    license: str
    source: str
    seed: int
    command: str
    held_out: tuple[str, ...]
    noise: Noise | None
    band: str | None
    spans: tuple[Span, ...]
    utterances: tuple[Utterance, ...]
    sha256: str

    @property
    def path(self) -> Path:
        return AUDIO / self.file

    def on(self, channel: int) -> list[Utterance]:
        return [each for each in self.utterances if each.channel == channel]


def entries() -> list[Entry]:
    lines = (AUDIO / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [TypeAdapter(Entry).validate_json(line) for line in lines]


ENTRIES = entries()
each_recording = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.file for entry in ENTRIES])


@cache
def decoded(path: Path) -> tuple[NDArray[np.float32], int]:
    """Return samples in [-1, 1), shape ``(channels, samples)``, and their rate in Hz."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    channels, rate_hz = frames[0].layout.nb_channels, frames[0].sample_rate
    samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    if not frames[0].format.is_planar:
        samples = samples.reshape(-1, channels).T
    full_scale = 1 if samples.dtype.kind == "f" else 32_768
    return np.asarray(samples / full_scale, np.float32), rate_hz


def level_db(samples: NDArray[np.float32]) -> float:
    """Return the RMS in dBFS; a floor of -120 stands for silence."""
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-12))


@each_recording
def test_a_recording_is_what_the_manifest_says(entry: Entry) -> None:
    assert hashlib.sha256(entry.path.read_bytes()).hexdigest() == entry.sha256
    samples, rate_hz = decoded(entry.path)
    assert len(samples) == entry.channels
    assert samples.shape[1] * 1000 / rate_hz == pytest.approx(entry.duration_ms, abs=1)
    assert rate_hz == (48_000 if "opus" in entry.tags else entry.sample_rate_hz)
    assert entry.license == "CC0-1.0"
    assert entry.command == f"python -m training.recordings {entry.file}"


@each_recording
def test_utterances_follow_each_other_on_their_channel(entry: Entry) -> None:
    assert [each.start_ms for each in entry.utterances] == sorted(each.start_ms for each in entry.utterances)
    for channel in range(entry.channels):
        said = entry.on(channel)
        assert all(before.end_ms < after.start_ms for before, after in itertools.pairwise(said))
        assert all(0 < each.start_ms < each.end_ms < entry.duration_ms for each in said)
    assert all(0 <= each.channel < entry.channels for each in entry.utterances)


@each_recording
def test_words_make_up_their_utterance(entry: Entry) -> None:
    for said in entry.utterances:
        assert " ".join(word.text for word in said.words) == said.text
        edges = [edge for word in said.words for edge in (word.start_ms, word.end_ms)]
        assert edges == sorted(edges)
        assert (edges[0], edges[-1]) == (said.start_ms, said.end_ms)


@each_recording
def test_an_utterance_is_translated_into_all_other_languages(entry: Entry) -> None:
    for said in entry.utterances:
        assert said.translations.keys() == LANGUAGES - {said.locale[:2]}
        assert all(said.translations.values())
        assert said.split in {"combination", "train"}


@each_recording
def test_spans_are_the_languages_of_the_utterances_in_order(entry: Entry) -> None:
    for channel in range(entry.channels):
        spans = [span for span in entry.spans if span.channel == channel]
        assert [span.locale for span in spans] == [locale for locale, _ in itertools.groupby(
            each.locale for each in entry.on(channel)
        )]  # fmt: skip
        assert all(before.end_ms == after.start_ms for before, after in itertools.pairwise(spans))
        for said in entry.on(channel):
            assert [s.locale for s in spans if s.start_ms <= said.start_ms and said.end_ms <= s.end_ms] == [said.locale]


@each_recording
def test_there_is_speech_where_utterances_are_and_nowhere_else(entry: Entry) -> None:
    samples, rate_hz = decoded(entry.path)
    for channel in range(entry.channels):
        said = entry.on(channel)
        pauses = np.ones(samples.shape[1], np.bool_)
        for each in said:
            start, end = each.start_ms * rate_hz // 1000, each.end_ms * rate_hz // 1000
            assert level_db(samples[channel, start:end]) > -45, each.start_ms
            pauses[start - MARGIN_MS * rate_hz // 1000 : end + MARGIN_MS * rate_hz // 1000] = False
        if entry.noise is None and not {"room", "monologue"} & set(entry.tags):
            assert level_db(samples[channel, pauses]) < -55


def test_silence_is_silent() -> None:
    samples, _ = decoded(AUDIO / "silence.flac")
    assert not samples.any()


def test_noise_is_as_loud_as_it_says() -> None:
    for entry in ENTRIES:
        if entry.noise is None:
            continue
        samples, rate_hz = decoded(entry.path)
        start, end = entry.noise.start_ms * rate_hz // 1000, entry.noise.end_ms * rate_hz // 1000
        assert level_db(samples[0, start:end]) > -45
        if entry.noise.snr_db is not None:
            assert 10 <= entry.noise.snr_db <= 15
            spoken = np.zeros(samples.shape[1], np.bool_)
            for said in entry.utterances:
                spoken[(said.start_ms - 100) * rate_hz // 1000 : (said.end_ms + 100) * rate_hz // 1000] = True
            snr_db = level_db(samples[0, spoken]) - level_db(samples[0, ~spoken])
            assert snr_db == pytest.approx(entry.noise.snr_db, abs=4)


def test_the_collection_is_varied() -> None:
    tags = Counter(tag for entry in ENTRIES for tag in entry.tags)
    least = {
        "demo": 5, "clean": 8, "languages": 8, "code-switching": 1, "telephone": 3, "mulaw": 2, "opus": 2, "stereo": 2,
        "overlap": 1, "silence": 1, "noise only": 2, "music": 2, "noisy": 3, "babble": 1, "room": 2, "dictation": 1,
        "hesitations": 1, "fast": 1, "slow": 1, "exotic": 1, "held-out voices": 1, "short": 1, "monologue": 1,
        "quiet": 1, "meeting": 1,
    }  # fmt: skip
    assert {tag: tags[tag] for tag in least if tags[tag] < least[tag]} == {}
    assert len(ENTRIES) >= 24


def test_the_long_and_the_quiet_are_what_their_tags_say() -> None:
    tagged = {tag: entry for entry in ENTRIES for tag in entry.tags}
    meeting, monologue, quiet = (tagged[tag] for tag in ("meeting", "monologue", "quiet"))
    assert meeting.duration_ms >= 600_000
    assert len({each.speaker for each in meeting.utterances}) == len({each.locale for each in meeting.utterances}) == 4
    pauses_ms = [after.start_ms - before.end_ms for before, after in itertools.pairwise(monologue.utterances)]
    assert monologue.utterances[-1].end_ms - monologue.utterances[0].start_ms > 30_000
    assert max(pauses_ms) < 200
    assert level_db(decoded(quiet.path)[0][0]) == pytest.approx(-35, abs=2.5)
    assert all(entry.held_out for entry in ENTRIES if "held-out voices" in entry.tags)
    assert not any(entry.held_out for entry in ENTRIES if "held-out voices" not in entry.tags)


def test_most_sentences_are_new_to_the_models_and_none_is_heard_often() -> None:
    splits = Counter(said.split for entry in ENTRIES for said in entry.utterances)
    assert splits["combination"] > 0.75 * splits.total()
    texts = Counter(said.text for entry in ENTRIES for said in entry.utterances)
    assert len(texts) > 0.9 * texts.total()


def test_the_collection_is_small_enough_for_a_checkout() -> None:
    names = {path.name for path in AUDIO.iterdir()}
    assert names == {entry.file for entry in ENTRIES} | {"dataset.json", "manifest.jsonl"}
    sizes = {name: (AUDIO / name).stat().st_size for name in names}
    assert sum(sizes.values()) <= 25_000_000
    assert [name for name in names if name.endswith(".wav") and sizes[name] > 2_000_000] == []


def test_the_wheel_holds_the_calls_of_the_demo_and_no_other() -> None:
    assert tuple(entry.file for entry in ENTRIES if "demo" in entry.tags) == DEMO
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    audio = {Path(name).name for name in included if name.startswith("samples/audio")}
    assert audio == {*DEMO, "dataset.json", "manifest.jsonl"}
    for entry in ENTRIES[: len(DEMO)]:
        assert (entry.sample_rate_hz, entry.channels) == (16_000, 1)
        assert 40_000 <= entry.duration_ms <= 60_000
