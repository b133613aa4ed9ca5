"""Which recordings a dataset is better without, and the version without them. The deciding is pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.fingerprint import same_sounds
from dragoman.datasets.items import RecordingItem
from dragoman.datasets.measuring import Measured, Unheard
from dragoman.datasets.texts import normalized
from dragoman.domain.errors import DatasetInvalidError


class Why(StrEnum):
    """Why a recording is left out. The values are public and never change."""

    UNREADABLE = "unreadable"
    SHORT = "short"
    LONG = "long"
    QUIET = "quiet"
    SILENT = "silent"
    SPEECHLESS = "speechless"
    CLIPPED = "clipped"
    NOISY = "noisy"
    SAME_BYTES = "same-bytes"
    SAME_SOUND = "same-sound"
    SAME_TEXT = "same-text"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a recording must be; ``None`` for a number means that it is not looked at.

    The same text is no reason by itself: in many corpora everybody reads the same sentences.
    ``kept_tags`` are of recordings that stay whatever they are: silence is there on purpose in many a test.
    """

    min_ms: int = 300
    max_ms: int | None = None
    min_dbfs: float | None = -55.0
    max_silence_share: float | None = 0.9
    min_speech_share: float | None = 0.02
    max_clipped_share: float | None = 0.01
    min_snr_db: float | None = 5.0
    same_sound: bool = True
    same_text: bool = False
    kept_tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A recording to leave out; ``detail`` gives the figure, or what it is the same as."""

    id: str
    why: Why
    detail: str


def decide(items: Sequence[RecordingItem], heard: Mapping[str, Measured | Unheard], rules: Rules) -> list[LeftOut]:
    """Return what to leave out, each once and for the first reason, in the order of the items.

    Of several that are the same that with most utterances stays, and the first of these; what is left out for another
    reason does not count.
    """
    free = [item for item in items if not rules.kept_tags & set(item.tags)]
    found = {item.id: out for item in free if (out := next(_by_itself(item, heard[item.id], rules), None))}
    sound = sorted((item for item in items if item.id not in found), key=lambda item: -len(item.utterances))
    movable = {item.id for item in free}
    for out in _repeated(sound, heard, rules):
        if out.id in movable:
            found.setdefault(out.id, out)
    return [found[item.id] for item in items if item.id in found]


def without(dataset: Dataset, out: Sequence[LeftOut]) -> Dataset:
    """Return the dataset without some recordings; its card says what was done.

    Raises:
        DatasetInvalidError: if nothing would be left.
    """
    ids = {each.id for each in out}
    items = tuple(item for item in dataset.recordings if item.id not in ids)
    if not items:
        raise DatasetInvalidError("Nothing would be left; loosen the rules, or look at it: dragoman data profile")
    reasons = Counter(each.why for each in out)
    said = ", ".join(f"{count} {why}" for why, count in sorted(reasons.items()))
    change = f"clean: left out {len(out)} of {len(dataset.recordings)} ({said})"
    card = dataset.card.model_copy(update={"parent": dataset.version, "change": change})
    return replace(dataset, recordings=items, card=card)


def _by_itself(item: RecordingItem, heard: Measured | Unheard, rules: Rules) -> Iterator[LeftOut]:
    if isinstance(heard, Unheard):
        yield LeftOut(item.id, Why.UNREADABLE, heard.why)
        return
    quality = heard.quality
    if heard.duration_ms < rules.min_ms:
        yield LeftOut(item.id, Why.SHORT, f"{heard.duration_ms} ms")
    if rules.max_ms is not None and heard.duration_ms > rules.max_ms:
        yield LeftOut(item.id, Why.LONG, f"{heard.duration_ms} ms")
    if rules.min_dbfs is not None and quality.rms_dbfs < rules.min_dbfs:
        yield LeftOut(item.id, Why.QUIET, f"{quality.rms_dbfs:.1f} dBFS")
    if rules.max_silence_share is not None and quality.silence_share > rules.max_silence_share:
        yield LeftOut(item.id, Why.SILENT, f"{quality.silence_share:.0%} silence")
    if rules.min_speech_share is not None and quality.speech_share < rules.min_speech_share:
        yield LeftOut(item.id, Why.SPEECHLESS, f"{quality.speech_share:.1%} speech")
    if rules.max_clipped_share is not None and quality.clipped_share > rules.max_clipped_share:
        yield LeftOut(item.id, Why.CLIPPED, f"{quality.clipped_share:.2%} of samples")
    if rules.min_snr_db is not None and quality.snr_db is not None and quality.snr_db < rules.min_snr_db:
        yield LeftOut(item.id, Why.NOISY, f"SNR {quality.snr_db:.1f} dB")


def _repeated(
    items: Sequence[RecordingItem], heard: Mapping[str, Measured | Unheard], rules: Rules
) -> Iterator[LeftOut]:
    seen: dict[str, str] = {}
    texts: dict[str, str] = {}
    for item in items:
        first = seen.setdefault(item.sha256, item.id)
        if first != item.id:
            yield LeftOut(item.id, Why.SAME_BYTES, first)
        text = normalized(" ".join(said.text for said in item.utterances))
        if rules.same_text and text and (first := texts.setdefault(text, item.id)) != item.id:
            yield LeftOut(item.id, Why.SAME_TEXT, first)
    if rules.same_sound:
        prints = {item.id: found.print for item in items if isinstance(found := heard[item.id], Measured)}
        copies: set[str] = set()
        for first, second in same_sounds(prints):
            if first not in copies:
                copies.add(second)
                yield LeftOut(second, Why.SAME_SOUND, first)
