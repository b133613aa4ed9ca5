"""When a decoded text is not to be trusted: pure judgements on text and scores."""

import math
import zlib
from dataclasses import dataclass
from enum import StrEnum


class Doubt(StrEnum):
    """Why a text is not to be trusted."""

    LOOP = "loop"  # the same words over and over
    REPETITIVE = "repetitive"  # compresses too well
    RUNAWAY = "runaway"  # more text than anyone can speak in that time
    UNSURE = "unsure"  # low average log-probability
    NO_SPEECH = "no_speech"  # the model itself doubts that anyone spoke


@dataclass(frozen=True, slots=True)
class GuardRules:
    """Thresholds.

    Compression ratio, log-probability and no-speech are Whisper's (Radford et al. 2022, section 4.5, and the
    reference implementation). The other two are ours: nobody speaks 40 characters a second, and no sentence says the
    same words five times in a row, or the same phrase four times.
    """

    max_compression_ratio: float = 2.4
    min_avg_log_prob: float = -1.0
    max_no_speech: float = 0.6
    max_chars_per_s: float = 40.0
    max_word_repeats: int = 4
    max_phrase_repeats: int = 3
    longest_phrase: int = 8


def doubts(text: str, *, avg_log_prob: float, no_speech: float, speech_ms: int, rules: GuardRules) -> frozenset[Doubt]:
    """Return every reason to doubt ``text``, decoded from ``speech_ms`` of speech; none for a text to trust."""
    found = set()
    if not math.isfinite(avg_log_prob) or avg_log_prob < rules.min_avg_log_prob:
        found.add(Doubt.UNSURE)
        if no_speech > rules.max_no_speech:
            found.add(Doubt.NO_SPEECH)
    if not text:
        return frozenset(found)
    # Half a second of grace: the shortest words are mostly consonants that VAD trims.
    if len(text) > rules.max_chars_per_s * (speech_ms + 500) / 1000:
        found.add(Doubt.RUNAWAY)
    if compression_ratio(text) > rules.max_compression_ratio:
        found.add(Doubt.REPETITIVE)
    if has_loop(text, rules):
        found.add(Doubt.LOOP)
    return frozenset(found)


def compression_ratio(text: str) -> float:
    """Return bytes of text per byte of its zlib compression; ordinary sentences stay below 2."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def has_loop(text: str, rules: GuardRules) -> bool:
    """Return whether a word or phrase follows itself too often.

    Digits read out one by one may repeat: a run of single characters is no loop.
    """
    words = text.casefold().split()
    for size in range(1, rules.longest_phrase + 1):
        allowed = rules.max_word_repeats if size == 1 else rules.max_phrase_repeats
        run = 0  # words in a row that equal the word one phrase before
        for at in range(size, len(words)):
            run = run + 1 if words[at] == words[at - size] else 0
            phrase = words[at - size + 1 : at + 1]
            if run >= allowed * size and any(len(word.strip(".,!?")) > 1 for word in phrase):
                return True
    return False
