"""From what a listener saw to figures: how soon, how steady, how right."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import jiwer

from bench.peers.audio import Speech
from bench.peers.hearing import Hearing
from bench.peers.languages import LanguageFigures, follow
from bench.scoring import normalise, word_error_rate


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """One stream. Times are in seconds; ``None`` or empty where a server does not do such a thing.

    ``first_s`` is from the first sample of speech to the first text. ``finals_s`` has one figure per utterance: from
    the end of its last word until that word was committed. ``delays_s`` has the same for every word. ``erased`` is how
    many words were taken back for each word that stayed (normalised erasure, Arivazhagan et al. 2020). ``tail_lost`` is
    the share of the last utterance's words that were never committed. ``wer`` is against the truth, ``offline_wer``
    against what faster-whisper makes of the whole recording; ``understood`` counts the words that are right.
    """

    speech: str
    first_s: float | None
    finals_s: tuple[float, ...]
    delays_s: tuple[float, ...]
    erased: float
    wer: float
    text: str
    understood: int
    offline_wer: float
    tail_lost: float
    language: LanguageFigures
    messages: int
    received_bytes: int
    trouble: str | None


def judge(speech: Speech, hearing: Hearing) -> StreamFigures:
    """Return the figures of one stream."""
    words, committed_s = _committed(hearing)
    times = _times(speech, words, committed_s)
    last = [at for at, word in enumerate(speech.words) if at > _before_last(speech)]
    closing = [at for at, word in enumerate(speech.words) if word.closes]
    text = hearing.seen[-1].committed if hearing.seen else ""
    return StreamFigures(
        speech=speech.name,
        first_s=next((seen.at_s - speech.words[0].start_s for seen in hearing.seen if seen.shown), None),
        finals_s=tuple(times[at] - speech.words[at].end_s for at in closing if at in times),
        delays_s=tuple(at_s - speech.words[at].end_s for at, at_s in times.items()),
        erased=_erased(hearing),
        wer=word_error_rate([(speech.text, text)]),
        understood=int(jiwer.process_words(normalise(speech.text), normalise(text)).hits),
        text=text,
        offline_wer=word_error_rate([(speech.offline, text)]),
        language=follow(speech, hearing.languages),
        tail_lost=sum(at not in times for at in last) / len(last),
        messages=hearing.messages,
        received_bytes=hearing.received_bytes,
        trouble=hearing.trouble,
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that so many are not above, or nothing of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def middle(values: Sequence[float]) -> float | None:
    """Return the median, or nothing of nothing."""
    return median(values) if values else None


def _before_last(speech: Speech) -> int:
    closing = [at for at, word in enumerate(speech.words) if word.closes]
    return closing[-2] if len(closing) > 1 else -1


def _committed(hearing: Hearing) -> tuple[list[str], list[float]]:
    """Return the words that were committed in the end, and since when each of them stood there."""
    words: list[str] = []
    since_s: list[float] = []
    for seen in hearing.seen:
        now = normalise(seen.committed).split()
        same = _common(words, now)
        words, since_s = now, [*since_s[:same], *[seen.at_s] * (len(now) - same)]
    return words, since_s


def _times(speech: Speech, words: list[str], committed_s: list[float]) -> dict[int, float]:
    """Return when each spoken word was committed, right or wrong; those that never were are left out."""
    truth: list[str] = []
    owner: list[int] = []  # a written word may be several for the scorer: "o'clock", "22-year-old"
    for at, word in enumerate(speech.words):
        parts = normalise(word.text).split()
        truth += parts
        owner += [at] * len(parts)
    if not words:
        return {}
    times: dict[int, float] = {}
    aligned = jiwer.process_words(" ".join(truth), " ".join(words)).alignments[0]
    for chunk in aligned:
        if chunk.type in ("equal", "substitute"):
            for offset in range(chunk.ref_end_idx - chunk.ref_start_idx):
                place = owner[chunk.ref_start_idx + offset]
                times[place] = max(times.get(place, 0.0), committed_s[chunk.hyp_start_idx + offset])
    return times


def _erased(hearing: Hearing) -> float:
    before: list[str] = []
    erased = 0
    for seen in hearing.seen:
        now = seen.shown.split()
        erased += len(before) - _common(before, now)
        before = now
    return erased / max(1, len(before))


def _common(one: list[str], other: list[str]) -> int:
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))
