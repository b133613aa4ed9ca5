"""The report of a run beside the peers: tables in Markdown, and plots."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench.peers.floor import Floor
from bench.peers.results import Results, Row, pooled

_US: Final = "Dragoman"
_PLOT: Final = Path(__file__).with_name("launch") / "plot.py"
_STREAMING: Final = ("WhisperLive", "WhisperLiveKit")
_GREEDY: Final = tuple(f"{name}, beam 1" for name in _STREAMING)


def write(results: Results, file: Path, python: Path) -> str:
    """Write the report beside the raw results in ``file``, with plots made by ``python``; return it."""
    rows = pooled(results.takes)
    plots = file.with_suffix(".svg")
    data = json.dumps([{"lane": row.lane, **asdict(row)} for row in rows])
    subprocess.run([str(python), str(_PLOT), str(plots)], input=data, text=True, check=True)
    text = "\n\n".join(_parts(results, rows, plots.name, file.name)) + "\n"
    file.with_name("peers.md").write_text(text)
    return text


def _parts(results: Results, rows: Sequence[Row], plots: str, raw: str) -> Iterator[str]:
    machine, runs = results.machine, 1 + max(take.run for take in results.takes)
    yield "# Dragoman beside its peers"
    made_in = f"{results.took_s / 60:.0f} minutes, {runs} run{'s' if runs > 1 else ''}"
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    yield (
        f"Made by `make bench-peers` on {results.started_at} in {made_in}: {machine['CPU']}, {machine['cores']} cores, "
        f"{machine['system']}, Python {machine['Python']}. Versions: {versions}; ctranslate2 {machine['ctranslate2']}. "
        f"Raw figures, the load of every take among them: [{raw}]({raw})."
    )
    yield (
        "Every server has the same model, the bundled micro model grown to the size of Whisper tiny or small "
        "(`bench/peers/grown.py`): the words of the one, the work of the other. int8, one thread per call, both cores "
        "for every server, audio at the pace of speech in tenths of a second, the first 20 seconds of four calls in "
        "four languages (told to the server), two seconds of silence at the end. Servers take turns in every run; "
        "streams begin 0.7 s after each other. Times count from the end of the speech in the recording. "
        "_Final_: the last word of an utterance is committed. _Word_: any word is. _Erased_: words taken back per "
        "word that stayed. _Tail lost_: words of the last utterance that never came. _Of offline_: how many words "
        "differ from what faster-whisper makes of the whole recording. _ms a word_: processor time per word that was "
        "understood."
    )
    yield f"![Cost and latency by number of streams]({plots})"
    for model in ("tiny", "small"):
        found = [row for row in rows if row.model == model]
        if found:
            yield f"## Whisper {model}"
            yield _table(found)
    if found := [row for row in rows if row.model == "micro"]:
        yield "## Languages"
        yield (
            "The micro model itself, two streams at once: 17 s of German, and 26 s that go from English to Spanish to "
            "German. No server is told. We choose continuously among four languages; the others among all they know. "
            "_Decided_: from the first sample of speech to the first language that was said. _Switch_: from the first "
            "word in another language until that was said. WhisperLive says a language once and keeps to it; "
            "WhisperLiveKit says none."
        )
        yield _languages(found)
    yield "## What we promise"
    yield "\n".join(f"- {claim}" for claim in claims(rows, results.floor))


def _table(rows: Sequence[Row]) -> str:
    head = (
        "| server | streams | cores | ms a word | MiB | WER % | of offline % | first text s | final p50 s | "
        "final p95 s | word p50 s | erased | tail lost % | messages | kB | failed |\n|" + "---|" * 16
    )
    lines = [
        f"| {row.lane} | {row.streams} | {row.cores:.2f} | {row.word_cpu_ms:.0f} | {row.resident_mib:.0f} | "
        f"{100 * row.wer:.1f} | {100 * row.offline_wer:.1f} | "
        f"{_seconds(row.first_p50_s)} | {_seconds(row.final_p50_s)} | {_seconds(row.final_p95_s)} | "
        f"{_seconds(row.word_p50_s)} | {row.erased:.2f} | {100 * row.tail_lost:.0f} | {row.messages:.0f} | "
        f"{row.kilobytes:.1f} | {row.failed} |"
        for row in sorted(rows, key=lambda row: (row.streams, row.system != _US, row.lane))
    ]
    return "\n".join([head, *lines])


def _languages(rows: Sequence[Row]) -> str:
    head = "| server | decided s | right % | switches said % | switch p50 s | false switches | WER % |\n|" + "---|" * 7
    lines = [
        f"| {row.lane} | {_seconds(row.decided_p50_s)} | {_percent(row.decided_right)} | "
        f"{100 * row.switches_found:.0f} | {_seconds(row.switch_p50_s)} | {row.false_switches:.1f} | "
        f"{100 * row.wer:.1f} |"
        for row in sorted(rows, key=lambda row: row.system != _US)
    ]
    return "\n".join([head, *lines])


def claims(rows: Sequence[Row], floor: Floor | None) -> list[str]:
    """Return every promise with what was measured, and whether it was kept."""
    tiny = [row for row in rows if row.model == "tiny"]
    at_four = {row.lane: row for row in tiny if row.streams == 4}
    peers = [at_four[name] for name in _STREAMING if name in at_four]
    if _US not in at_four or not peers:
        return ["Not measured: one of the servers is missing."]
    us, best_wer = at_four[_US], min(row.wer for row in peers)
    times = {row.system: row.cores / us.cores for row in peers}
    per_word = {row.system: row.word_cpu_ms / us.word_cpu_ms for row in peers}
    alone = {row.lane: row for row in tiny if row.streams == 1}
    at_one = {name: alone[name].cores / alone[_US].cores for name in _STREAMING if {name, _US} <= set(alone)}
    greedy = {name: row.cores / us.cores for name, row in at_four.items() if name in _GREEDY}
    others = [row.final_p50_s for row in at_four.values() if row is not us and row.final_p50_s is not None]
    told = [
        _claim(
            min(times.values()) >= 4 and us.wer <= best_wer,
            f"at 4 streams each, the peers at their defaults take {_times(times)} times our processor time, "
            + (f"greedy {_times(greedy)} times; " if greedy else "")
            + f"{100 * us.wer:.1f} % of our words are wrong, {100 * best_wer:.1f} % of the best peer's "
            "(asked: 4 times, no more errors). A peer that falls behind does less and less of its work: for a word "
            f"that is understood they take {_times(per_word)} times our processor time, and at one stream each "
            f"{_times(at_one)} times ours",
            "WhisperLive is at its limit of one core there and drops what it cannot do. Ours are partials: every one "
            "reads its text from its beginning, for CTranslate2 cannot begin behind what is known",
        ),
        _claim(
            (us.final_p95_s or 9) <= 0.5,
            f"at 4 streams a final comes {_seconds(us.final_p95_s)} s after speech at p95 (asked: 0.5 s)",
        ),
        _claim(
            us.final_p50_s is not None and all(us.final_p50_s < each for each in others),
            f"the median final comes {_seconds(us.final_p50_s)} s after speech; that of the next best "
            f"{_seconds(min(others, default=None))} s (asked: the best)",
        ),
    ]
    ours, theirs = _bearable(tiny, (_US,)), _bearable(tiny, _STREAMING)
    told.append(
        _claim(
            ours >= 3 * max(theirs, 1),
            f"{ours} streams before the final's p95 exceeds 1 s (16 were tried); the best streaming peer bears "
            f"{theirs or 'not even one'} (asked: three times as many)",
        )
    )
    if floor:
        share = us.cpu_s / floor.all_s
        live = f" and take {floor.live_s:.2f} s" if floor.live_s else ""
        told.append(
            _claim(
                share <= 1.3,
                f"at {floor.streams} streams our processor time is {share:.2f} times that of the model's own calls for "
                f"the same tokens, features and voice activity detection, one after another: {us.cpu_s:.2f} s of "
                f"{floor.encode_s:.2f} + {floor.decode_s:.2f} + {floor.vad_s:.2f} s (asked: 1.3 times)",
                f"Calls of a stream find the caches cold{live}; the rest is the server: sockets, events, the store",
            )
        )
    return told


def _bearable(rows: Sequence[Row], systems: Sequence[str]) -> int:
    """Return the most streams, of those tried, up to which a server's finals are in time."""
    most = 0
    for system in systems:
        lane = sorted((row for row in rows if row.lane == system), key=lambda row: row.streams)
        for row in lane:
            if row.final_p95_s is None or row.final_p95_s > 1 or row.failed:
                break
            most = max(most, row.streams)
    return most


def _times(ratios: Mapping[str, float]) -> str:
    return ", ".join(f"{ratio:.1f} ({name})" for name, ratio in ratios.items())


def _claim(kept: bool, text: str, limit: str = "") -> str:
    """Return a promise with what was measured; ``limit`` says what stood in the way of one that was not kept."""
    reason = f" {limit}. What was tried: [0008](../../docs/decisions/0008-what-is-due-first.md)." if limit else ""
    return f"Kept: {text}." if kept else f"**Missed**: {text}.{reason}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
