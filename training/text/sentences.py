"""Parallel sentences of customer calls: patterns with slots, rendered in four languages, split by content."""

import hashlib
import itertools
import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.text.grammar import Casing, capitalised, join
from training.text.slots import LANGUAGES, PatternError, Slot, Value, Word, load_slots

__all__ = ["LANGUAGES", "Pattern", "PatternError", "Sentence", "Split", "Word", "load_patterns", "sentences"]

PATTERN_FOLDER = Path(__file__).parent / "patterns"
Split = Literal["train", "combination", "pattern"]

_HESITATION_RATE = 0.12
_SMALLEST_SPLIT_PATTERN = 24  # fewer combinations of values are all needed for training
_REFERENCE = re.compile(r"\{([a-z_]+)(\d?)(?:\.([a-z_]+))?\}")
_FOREIGN = re.compile(r"[^\w .,?!'\-:]|_")
_FRONT = (("um", "eh", "ähm", "euh"), ("well", "bueno", "also", "alors"))
_INSIDE = (("um", "eh", "ähm", "euh"), ("you know", "sabe", "wissen Sie", "vous savez"))


@dataclass(frozen=True, slots=True)
class Atom:
    """A stretch of a template without spaces: fixed text, or a slot between two fixed texts."""

    before: str
    reference: str | None = None
    slot: str = ""
    form: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One sentence with slots in all languages; ``key`` is its English template."""

    key: str
    topic: str
    atoms: Mapping[str, tuple[Atom, ...]]
    slots: Mapping[str, Slot]

    @property
    def is_held_out(self) -> bool:
        """Whether no sentence of this pattern may be trained on."""
        return _digest(self.key) % 10 == 0

    @property
    def combinations(self) -> int:
        """Number of ways to fill the slots."""
        count = 1
        for slot in self.slots.values():
            count *= slot.size
        return count

    def split(self, values: Mapping[str, Value]) -> Split:
        """Return where the sentence with these values belongs; depends on nothing but the content."""
        if self.is_held_out:
            return "pattern"
        content = "|".join([self.key, *(f"{name}={values[name].key}" for name in sorted(values))])
        if self.combinations >= _SMALLEST_SPLIT_PATTERN and _digest(content) % 12 == 0:
            return "combination"
        return "train"


@dataclass(frozen=True, slots=True)
class Sentence:
    """The same sentence in every language."""

    pattern: str
    topic: str
    split: Split
    words: Mapping[str, tuple[Word, ...]]

    def text(self, language: str) -> str:
        """Return the sentence as a transcript writes it."""
        return " ".join(word.written for word in self.words[language])

    def spoken(self, language: str) -> str:
        """Return the sentence as the synthesiser must read it, punctuation included."""
        return " ".join(word.spoken for word in self.words[language])


def load_patterns(folder: Path = PATTERN_FOLDER) -> tuple[Pattern, ...]:
    """Return the patterns of all ``*.toml`` in a folder, by file name and order.

    Raises ``PatternError`` with file, pattern number and cure for the first one that is malformed.
    """
    slots = load_slots()
    patterns: dict[str, Pattern] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise PatternError(f"{path.name}: not TOML: {error}") from error
        for number, row in enumerate(table.get("pattern", ()), 1):
            where = f"{path.name}, pattern {number}"
            pattern = _parse_pattern(where, path.stem, row, slots)
            if pattern.key in patterns:
                raise PatternError(f"{where}: {pattern.key!r} is also in {patterns[pattern.key].topic}; delete one")
            patterns[pattern.key] = pattern
    if not patterns:
        raise PatternError(f"{folder}: no [[pattern]] in any *.toml")
    return tuple(patterns.values())


def sentences(seed: int, split: Split, patterns: Sequence[Pattern] = ()) -> Iterator[Sentence]:
    """Yield sentences of one split without end: every pattern equally often, slots at random.

    Reads the folder ``patterns`` unless patterns are given.
    """
    patterns = patterns or load_patterns()
    casings = casings_of(patterns)
    eligible = [pattern for pattern in patterns if _can_yield(pattern, split)]
    if not eligible:
        raise PatternError(f"no pattern yields {split!r} sentences; add patterns")
    # Data, not secrets; a text seed is hashed the same way on every machine.
    rng = random.Random(f"{seed}/{split}")
    while True:
        rng.shuffle(eligible)
        for pattern in eligible:
            values = _draw(pattern, split, rng)
            if values is not None:
                yield _render(pattern, split, values, casings, rng)


def lonely_values(patterns: Sequence[Pattern], least: int = 2) -> Mapping[str, int]:
    """Return the values that fewer than ``least`` training patterns can say, as ``slot=key``, with the number."""
    used: Counter[str] = Counter()
    for pattern in patterns:
        if pattern.is_held_out:
            continue
        alone = len(pattern.slots) == 1
        names = {slot.name: (reference, slot) for reference, slot in pattern.slots.items()}
        for reference, slot in names.values():
            if slot.name == "code":
                used["code"] += 1
                continue
            for value in map(slot.value, range(slot.size)):
                # With a second slot some companion always keeps the value in training.
                if not alone or pattern.split({reference: value}) == "train":
                    used[f"{slot.name}={value.key}"] += 1
    expected = {"code"}
    for slot in load_slots().values():
        if slot.name != "code":
            expected |= {f"{slot.name}={slot.value(index).key}" for index in range(slot.size)}
    return {name: used[name] for name in sorted(expected) if used[name] < least}


def casings_of(patterns: Sequence[Pattern]) -> Mapping[str, Casing]:
    """Return what the templates of each language tell about capital letters."""
    return {
        language: Casing.of(
            language, [" ".join(atom.before + atom.after or "9" for atom in p.atoms[language]) for p in patterns]
        )
        for language in LANGUAGES
    }


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest(), "big")


def _parse_pattern(where: str, topic: str, row: Mapping[str, object], slots: Mapping[str, Slot]) -> Pattern:
    if set(row) != set(LANGUAGES):
        raise PatternError(f"{where}: has {sorted(row)}; write exactly {', '.join(LANGUAGES)}")
    atoms = {language: _parse(f"{where}, {language}", language, str(row[language]), slots) for language in LANGUAGES}
    expected = sorted(atom.reference for atom in atoms["en"] if atom.reference)
    for language in LANGUAGES:
        found = sorted(atom.reference for atom in atoms[language] if atom.reference)
        if found != expected:
            raise PatternError(f"{where}: {language} has slots {found}, en has {expected}; use the same")
    by_reference = {atom.reference: slots[atom.slot] for atom in atoms["en"] if atom.reference}
    return Pattern(str(row["en"]), topic, atoms, by_reference)


def _parse(where: str, language: str, template: str, slots: Mapping[str, Slot]) -> tuple[Atom, ...]:
    foreign = _FOREIGN.search(_REFERENCE.sub("", template))
    if foreign or not template.strip():
        cause = f"character {foreign.group()!r}" if foreign else "no text"
        raise PatternError(f"{where}: {cause}; write letters, digits, spaces and . , ? ! ' - : only")
    atoms = []
    for text in template.split():
        found = list(_REFERENCE.finditer(text))
        if len(found) > 1:
            raise PatternError(f"{where}: {text!r} joins two slots; put a space between them")
        if not found:
            atoms.append(Atom(text))
            continue
        match = found[0]
        name, digit, form = match.group(1), match.group(2), match.group(3) or "bare"
        if name not in slots:
            raise PatternError(f"{where}: no slot {name!r}; use one of {', '.join(sorted(slots))}")
        if slots[name].value(0).form(language, form) is None:
            raise PatternError(f"{where}: {match.group()} has no form {form!r}; see slots.toml")
        atoms.append(Atom(text[: match.start()], name + digit, name, form, text[match.end() :]))
    return tuple(atoms)


def _can_yield(pattern: Pattern, split: Split) -> bool:
    if split == "pattern" or pattern.is_held_out:
        return split == "pattern" and pattern.is_held_out
    return split == "train" or pattern.combinations >= _SMALLEST_SPLIT_PATTERN


def _draw(pattern: Pattern, split: Split, rng: random.Random) -> Mapping[str, Value] | None:
    """Return values of the wanted split, or nothing where a small pattern may have none."""
    for _ in range(200):
        values = {name: slot.value(rng.randrange(slot.size)) for name, slot in pattern.slots.items()}
        twins = [
            one
            for one, other in itertools.combinations(values, 2)
            if pattern.slots[one] is pattern.slots[other] and values[one].key == values[other].key
        ]
        if not twins and pattern.split(values) == split:
            return values
    return None


def _render(
    pattern: Pattern, split: Split, values: Mapping[str, Value], casings: Mapping[str, Casing], rng: random.Random
) -> Sentence:
    fillers: tuple[str, ...] = ()
    before: str | None = None
    if rng.random() < _HESITATION_RATE:
        # Nobody hesitates between a number and what is counted.
        places = [
            reference
            for reference, slot in pattern.slots.items()
            if slot.name != "items" and _is_inside_everywhere(pattern, reference)
        ]
        before = rng.choice([None, *places])
        fillers = rng.choice(_INSIDE if before else _FRONT)
        if before is None and not all(_starts_known(pattern, language, casings[language]) for language in LANGUAGES):
            fillers = ()
    words = {}
    for index, language in enumerate(LANGUAGES):
        filler = fillers[index] if fillers else None
        words[language] = _say(language, pattern.atoms[language], values, casings[language], filler, before)
    return Sentence(pattern.key, pattern.topic, split, words)


def _is_inside_everywhere(pattern: Pattern, reference: str) -> bool:
    return all(
        pattern.atoms[language][0].reference != reference
        and all(not atom.before for atom in pattern.atoms[language] if atom.reference == reference)
        for language in LANGUAGES
    )


def _starts_known(pattern: Pattern, language: str, casing: Casing) -> bool:
    first = pattern.atoms[language][0]
    return not first.before or casing.inner(first.before) is not None


def _say(
    language: str,
    atoms: tuple[Atom, ...],
    values: Mapping[str, Value],
    casing: Casing,
    filler: str | None,
    before: str | None,
) -> tuple[Word, ...]:
    words: list[Word] = []
    if filler is not None and before is None:
        words.append(Word(f"{filler},", f"{filler},"))
    for index, atom in enumerate(atoms):
        text = atom.before
        if index == 0 and words and text:
            text = casing.inner(text) or text
        if atom.reference is None:
            words.append(Word(text, text))
            continue
        value = values[atom.reference].form(language, atom.form)
        assert value is not None, "load_patterns saw the form in the first value of the slot"
        if filler is not None and before == atom.reference:
            last = words[-1]
            if last.written[-1] not in ",.?!:":
                words[-1] = Word(f"{last.written},", f"{last.spoken},")
            words.append(Word(f"{filler},", f"{filler},"))
            before = ""  # once
        join(language, words, value, text, atom.after)
    return (capitalised(words[0]), *words[1:])
