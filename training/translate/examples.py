"""What the model learns from: a text of one language, as it may arrive, and its translations as they should read."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final

from training.text.sentences import LANGUAGES, Sentence
from training.text.slots import Slot, load_slots
from training.translate.copies import unseen_names, with_unseen
from training.translate.slips import slip

_MISHEARD: Final = 0.03
"""How often a text comes under the name of another language, as wrong identification has it."""

_PARTS: Final = (0.78, 0.18, 0.04)
"""How often a text has one, two or three parts."""

_SENTENCE, _STRANGE, _PHRASE = 0.6, 0.22, 0.06
"""How often a part is a sentence, one with unseen names and numbers, or a slot's value; else it is only such names."""

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """One text, the language that it is taken for, and what it means in the others."""

    language: str
    text: str
    translations: Texts


def spoken_examples(sentences: Iterable[Sentence], seed: int) -> Iterator[Example]:
    """Yield endless examples: sentences and phrases alone and together, with slips in the source."""
    rng = random.Random(seed)
    parts = _parts(map(_texts, sentences), rng)
    while True:
        [count] = rng.choices((1, 2, 3), _PARTS)
        chosen = list(islice(parts, count))
        texts = {language: " ".join(part[language] for part in chosen) for language in LANGUAGES}
        language = rng.choice(LANGUAGES)
        heard_as = rng.choice(LANGUAGES) if rng.random() < _MISHEARD else language
        yield _example(heard_as, slip(texts[language], rng), texts)


def clean_examples(sentences: Iterable[Sentence]) -> Iterator[Example]:
    """Yield every sentence once as it is, its source language taken in turn."""
    for language, texts in zip(cycle(LANGUAGES), map(_texts, sentences), strict=False):
        yield _example(language, texts[language], texts)


def texts_to_cut(sentences: Iterable[Sentence], seed: int) -> Iterator[str]:
    """Yield texts as they arrive and as they should read, for the tokenizer."""
    for example in spoken_examples(sentences, seed):
        yield example.text
        yield from example.translations.values()


def _example(language: str, text: str, texts: Texts) -> Example:
    return Example(language, text, {other: texts[other] for other in LANGUAGES if other != language})


def _texts(sentence: Sentence) -> Texts:
    return {language: sentence.text(language) for language in LANGUAGES}


def _parts(stream: Iterator[Texts], rng: random.Random) -> Iterator[Texts]:
    slots = tuple(load_slots().values())
    while True:
        texts, kind = next(stream), rng.random()
        if kind < _SENTENCE:
            yield texts
        elif kind < _SENTENCE + _STRANGE:
            yield next(changed for texts in stream if (changed := with_unseen(texts, rng)) != texts)
        elif kind < _SENTENCE + _STRANGE + _PHRASE:
            yield _phrase(slots, rng)
        else:
            yield dict.fromkeys(LANGUAGES, unseen_names(" ".join(texts.values()).split(), rng))


def _phrase(slots: Sequence[Slot], rng: random.Random) -> Texts:
    """Return a slot's value on its own, in a form that all languages have."""
    slot = rng.choice(slots)
    value = slot.value(rng.randrange(slot.size))
    form = rng.choice(sorted(value.forms["en"]))
    phrases = {language: value.form(language, form) for language in LANGUAGES}
    end = rng.choice((".", ""))
    return {language: " ".join(word.written for word in words or ()) + end for language, words in phrases.items()}
