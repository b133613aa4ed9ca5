"""The shape of the results, and figures pooled over runs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from bench.peers.figures import StreamFigures, middle, percentile
from bench.peers.floor import Floor


@dataclass(frozen=True, slots=True)
class Take:
    """So many streams at once on one lane: what they saw and what they cost.

    ``cores`` is processor seconds, ``cpu_s``, per second of audio, of all streams together.
    """

    system: str
    model: str
    beam: int
    run: int
    streams: int
    cpu_s: float
    cores: float
    resident_mib: float
    load: str
    each: tuple[StreamFigures, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run. ``floor`` is that under four streams of tiny size."""

    started_at: str
    took_s: int
    machine: dict[str, str]
    versions: dict[str, str]
    floor: Floor | None
    takes: tuple[Take, ...]

    def to_json(self) -> str:
        """Return it as JSON."""
        return _ADAPTER.dump_json(self, indent=1).decode() + "\n"


_ADAPTER = TypeAdapter(Results)


@dataclass(frozen=True, slots=True)
class Row:
    """A lane with so many streams, all runs pooled. Times are in seconds, ``cores`` of all streams together.

    ``word_cpu_ms`` is processor time per word that was understood: cost at equal service.
    """

    system: str
    model: str
    beam: int
    streams: int
    cpu_s: float
    cores: float
    resident_mib: float
    wer: float
    offline_wer: float
    word_cpu_ms: float
    first_p50_s: float | None
    final_p50_s: float | None
    final_p95_s: float | None
    word_p50_s: float | None
    erased: float
    tail_lost: float
    messages: float
    kilobytes: float
    failed: int
    decided_p50_s: float | None
    decided_right: float | None
    switches_found: float
    switch_p50_s: float | None
    false_switches: float

    @property
    def lane(self) -> str:
        """Return what it is called in tables."""
        return self.system + (f", beam {self.beam}" if self.beam else "")


def pooled(takes: Iterable[Take]) -> list[Row]:
    """Return a row for every lane and number of streams."""
    groups: dict[tuple[str, str, int, int], list[Take]] = {}
    for take in takes:
        groups.setdefault((take.system, take.model, take.beam, take.streams), []).append(take)
    return [_row(group) for group in groups.values()]


def _row(takes: Sequence[Take]) -> Row:
    first = takes[0]
    each = [figures for take in takes for figures in take.each]
    finals = [at_s for figures in each for at_s in figures.finals_s]
    languages = [figures.language for figures in each]
    decided_s = [found.decided_s for found in languages if found.decided_s is not None]
    delays_s = [found.switches_s for found in languages]

    def mean(of: Callable[[StreamFigures], float]) -> float:
        return sum(map(of, each)) / len(each)

    return Row(
        system=first.system,
        model=first.model,
        beam=first.beam,
        streams=first.streams,
        cpu_s=middle([take.cpu_s for take in takes]) or 0.0,
        cores=middle([take.cores for take in takes]) or 0.0,
        resident_mib=max(take.resident_mib for take in takes),
        wer=mean(lambda figures: figures.wer),
        offline_wer=mean(lambda figures: figures.offline_wer),
        word_cpu_ms=1000 * sum(take.cpu_s for take in takes) / max(1, sum(figures.understood for figures in each)),
        first_p50_s=middle([figures.first_s for figures in each if figures.first_s is not None]),
        final_p50_s=middle(finals),
        final_p95_s=percentile(finals, 0.95),
        word_p50_s=middle([at_s for figures in each for at_s in figures.delays_s]),
        erased=mean(lambda figures: figures.erased),
        tail_lost=mean(lambda figures: figures.tail_lost),
        messages=mean(lambda figures: figures.messages),
        kilobytes=mean(lambda figures: figures.received_bytes / 1000),
        failed=sum(figures.trouble is not None and not figures.text for figures in each),
        decided_p50_s=middle(decided_s),
        decided_right=mean(lambda figures: figures.language.right) if decided_s else None,
        switches_found=sum(map(len, delays_s)) / max(1, sum(found.switches for found in languages)),
        switch_p50_s=middle([at_s for delay_s in delays_s for at_s in delay_s]),
        false_switches=sum(found.false_switches for found in languages) / len(takes),
    )
