"""When a decoded text is not to be trusted: pure judgements on text and scores."""

import zlib
from dataclasses import dataclass
from enum import StrEnum


class Doubt(StrEnum):
    """Why a text is not to be trusted."""

    LOOP = "loop"  # the same words over and over
    REPETITIVE = "repetitive"  # compresses too well
    RUNAWAY = "runaway"  # more text than anyone can speak in that time
    TRUNCATED = "truncated"  # cut off by the bound on its length
    INCOMPLETE = "incomplete"  # the text has no end, or speech goes on after it
    EMPTY = "empty"  # nothing, for speech that was long enough to be something
    UNSURE = "unsure"  # low average log-probability
    NO_SPEECH = "no_speech"  # the model itself doubts that anyone spoke


@dataclass(frozen=True, slots=True)
class GuardRules:
    """Thresholds.

    Compression ratio, log-probability and no-speech are Whisper's (Radford et al. 2022, section 4.5, and the
    reference implementation). The others are ours: nobody speaks 40 characters a second, and no sentence says the same
    words five times in a row, or the same phrase four times; VAD and the model disagree about the end of speech by less
    than half a second.
    """

    max_compression_ratio: float = 2.4
    min_avg_log_prob: float = -1.0
    max_no_speech: float = 0.6
    max_chars_per_s: float = 40.0
    max_word_repeats: int = 4
    max_phrase_repeats: int = 3
    longest_phrase: int = 8
    max_unsaid_s: float = 0.5
    min_spoken_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is judged: a text and what the model says about it, see ``Decoded``."""

    text: str
    avg_log_prob: float
    no_speech: float
    until_s: float | None
    unfinished: bool
    truncated: bool


def doubts(outcome: Outcome, *, speech_s: float, speech_end_s: float, rules: GuardRules) -> frozenset[Doubt]:
    """Return every reason to doubt a text; none for one to trust.

    ``speech_s`` is how long somebody spoke, ``speech_end_s`` when that ended, from the start of the segment.
    """
    text = outcome.text
    unsure = not outcome.avg_log_prob >= rules.min_avg_log_prob  # a score that is no number counts as unsure
    reasons = {
        Doubt.UNSURE: unsure,
        Doubt.NO_SPEECH: unsure and outcome.no_speech > rules.max_no_speech,
        Doubt.EMPTY: not text and speech_s >= rules.min_spoken_s,
        Doubt.TRUNCATED: outcome.truncated,
        Doubt.INCOMPLETE: outcome.unfinished
        or (outcome.until_s is not None and speech_end_s - outcome.until_s > rules.max_unsaid_s),
        # Half a second of grace: the shortest words are mostly consonants that VAD trims.
        Doubt.RUNAWAY: len(text) > rules.max_chars_per_s * (speech_s + 0.5),
        Doubt.REPETITIVE: bool(text) and compression_ratio(text) > rules.max_compression_ratio,
        Doubt.LOOP: has_loop(text, rules),
    }
    return frozenset(doubt for doubt, holds in reasons.items() if holds)


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
