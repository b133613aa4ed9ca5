"""Word sequences that nobody can guess: they teach a model to listen where sentences teach it to recall."""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence

from training.text.grammar import capitalised
from training.text.lexicon import frequent_words
from training.text.sentences import Pattern, casings_of, load_patterns, sentences
from training.text.slots import Value, Word, Words, load_slots

_SHARE_COMMON, _SHARE_TRAINED, _SHARE_RARE = 0.55, 0.25, 0.10  # the rest are numbers, times, codes and names
_VALUE_SLOTS = ("count", "number", "amount", "time", "code", "date", "year", "percent", "duration", "name", "city")


def sequences(language: str, seed: int, patterns: Sequence[Pattern] = ()) -> Iterator[Words]:
    """Yield 2 to 9 unrelated words or values, without end; nothing comes from a held-out pattern.

    wordfreq writes everything small; lexicon.py finds out what is a German noun or a name.
    """
    patterns = patterns or load_patterns()
    trained = vocabulary(language, patterns)
    capital = _capitalised_only(trained)
    common, rare = (tuple(capital.get(word, word) for word in words) for words in frequent_words(language, trained))
    weights = list(itertools.accumulate((rank + 50) ** -0.6 for rank in range(len(common))))
    rng = random.Random(f"{seed}/{language}/sequences")
    while True:
        words: list[Word] = []
        for _ in range(rng.randint(2, 9)):
            share = rng.random()
            if share < _SHARE_COMMON:
                words += _plain(rng.choices(common, cum_weights=weights)[0])
            elif share < _SHARE_COMMON + _SHARE_TRAINED:
                words += _plain(rng.choice(trained))
            elif share < _SHARE_COMMON + _SHARE_TRAINED + _SHARE_RARE:
                words += _plain(rng.choice(rare))
            else:
                words += _value(language, rng)
            if rng.random() < 0.08:
                words[-1] = _ended(words[-1], ",")
        yield _finished(words, rng.choice((".", ".", "?", "")))


def recombined(language: str, seed: int, patterns: Sequence[Pattern] = ()) -> Iterator[Words]:
    """Yield two or three pieces of training sentences, cut between words and put together, without end."""
    rng = random.Random(f"{seed}/{language}/recombined")
    source = (sentence.words[language] for sentence in sentences(seed, "train", patterns))
    recent = list(itertools.islice(source, 500))
    while True:
        recent[rng.randrange(len(recent))] = next(source)
        first, *others = rng.sample(recent, rng.choice((2, 2, 3)))
        start = 0 if rng.random() < 0.5 else rng.randrange(len(first))
        words = [*first[start : start + rng.randint(1, 6)]]
        for other in others:
            # Never a sentence's first word: its capital letter would be wrong further in.
            start = rng.randrange(1, len(other)) if len(other) > 1 else len(other)
            words[-1] = _open(words[-1])
            words += other[start : start + rng.randint(2, 6)]
        yield _finished(words, words[-1].written[-1] if words[-1].written[-1] in ".?!" else rng.choice((".", "")))


def vocabulary(language: str, patterns: Sequence[Pattern]) -> tuple[str, ...]:
    """Return the words of the training patterns and of the listed slot values, as written inside a sentence."""
    casing = casings_of(patterns)[language]
    words: set[str] = set()
    for pattern in patterns:
        if pattern.is_held_out:
            continue
        for index, atom in enumerate(pattern.atoms[language]):
            token = casing.inner(atom.before) if index == 0 and atom.before else atom.before
            if token and atom.reference is None:
                words.add(token.strip(".,?!:"))
        for slot in pattern.slots.values():
            if slot.size < 100:
                for value in map(slot.value, range(slot.size)):
                    words |= {word.written for form in value.forms[language].values() for word in form}
    return tuple(sorted(word for word in words if word and not any(sign.isdigit() for sign in word)))


def _capitalised_only(words: Sequence[str]) -> Mapping[str, str]:
    known = set(words)
    return {word.lower(): word for word in words if word != word.lower() and word.lower() not in known}


def _plain(text: str) -> Words:
    return (Word(text, text),)


def _value(language: str, rng: random.Random) -> Words:
    slot = load_slots()[rng.choice(_VALUE_SLOTS)]
    value: Value = slot.value(rng.randrange(slot.size))
    return rng.choice(list(value.forms[language].values()))


def _ended(word: Word, mark: str) -> Word:
    return Word(word.written + mark, word.spoken + mark)


def _open(word: Word) -> Word:
    """Return the word without the mark that ends a sentence; an ordinal keeps its own."""
    if word.written[-1] in ".?!" and word.spoken[-1] == word.written[-1]:
        return Word(word.written[:-1], word.spoken[:-1])
    return word


def _finished(words: list[Word], mark: str) -> Words:
    last = _open(words[-1])
    if last.written.endswith(","):
        last = Word(last.written[:-1], last.spoken[:-1])
    if mark and not last.written.endswith(mark):
        last = _ended(last, mark)
    words[-1] = last
    return (capitalised(words[0]), *words[1:])
