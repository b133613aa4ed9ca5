"""Slot values: what a pattern leaves open, in every form and language."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "es", "de", "fr")
SLOT_FILE = Path(__file__).parent / "slots.toml"
NOUN_SLOTS = frozenset({"product", "document", "person", "service"})


class PatternError(ValueError):
    """A pattern or slot file that cannot be used; the message says where and how to mend it."""


@dataclass(frozen=True, slots=True)
class Word:
    """One written word and how the speech synthesiser must read it; either may hold punctuation."""

    written: str
    spoken: str


Words = tuple[Word, ...]
Forms = Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a slot; ``key`` tells it from the others of its slot."""

    key: str
    forms: Mapping[str, Forms]

    def form(self, language: str, form: str) -> Words | None:
        """Return the words of a form, without its case suffix where the language does not inflect."""
        forms = self.forms[language]
        for name in (form, form.rpartition("_")[0], "any"):
            if name in forms:
                return forms[name]
        return None


@dataclass(frozen=True, slots=True)
class Slot:
    """A numbered set of values."""

    name: str
    size: int
    value: Callable[[int], Value]


@cache
def load_slots(path: Path = SLOT_FILE) -> Mapping[str, Slot]:
    """Return the listed and the generated slots by name."""
    with path.open("rb") as file:
        tables = tomllib.load(file)
    slots = {name: _listed(name, rows) for name, rows in tables.items()}
    for name, make in _GENERATED.items():
        slots[name] = _of_values(name, make())
    slots["code"] = Slot("code", 3_000_000, _code)
    return slots


def plain(text: str) -> Words:
    """Return words that are read as they are written."""
    return tuple(Word(word, word) for word in text.split())


def _of_values(name: str, values: tuple[Value, ...]) -> Slot:
    return Slot(name, len(values), values.__getitem__)


def _listed(name: str, rows: object) -> Slot:
    assert isinstance(rows, list)
    values = []
    for number, row in enumerate(rows, 1):
        by_language = dict.fromkeys(LANGUAGES, row) if isinstance(row, str) else row
        if not isinstance(by_language, dict) or set(by_language) != set(LANGUAGES):
            raise PatternError(f"slots.toml: {name} value {number} needs exactly the languages {LANGUAGES}")
        forms = {language: _forms(name, language, by_language[language]) for language in LANGUAGES}
        values.append(Value(" ".join(word.written for word in next(iter(forms["en"].values()))), forms))
    return _of_values(name, tuple(values))


def _forms(name: str, language: str, entry: object) -> Forms:
    if isinstance(entry, dict):
        return {form: plain(str(text)) for form, text in entry.items()}
    if name in NOUN_SLOTS:
        return {form: plain(text) for form, text in _decline(language, str(entry)).items()}
    return {"any": plain(str(entry))}


# Article in slots.toml -> article of each form. German: only der, die, das tell all three genders apart.
_ARTICLES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "en": {"a": {"the": "the", "a": "a"}, "an": {"the": "the", "a": "an"}},
    "es": {"un": {"the": "el", "a": "un"}, "una": {"the": "la", "a": "una"}},
    "fr": {"un": {"the": "le", "a": "un"}, "une": {"the": "la", "a": "une"}},
    "de": {
        "der": {"the": "der", "the_acc": "den", "the_dat": "dem", "a": "ein", "a_acc": "einen", "a_dat": "einem"},
        "die": {"the": "die", "the_acc": "die", "the_dat": "der", "a": "eine", "a_acc": "eine", "a_dat": "einer"},
        "das": {"the": "das", "the_acc": "das", "the_dat": "dem", "a": "ein", "a_acc": "ein", "a_dat": "einem"},
    },
}


def _decline(language: str, entry: str) -> Mapping[str, str]:
    article, _, noun = entry.partition(" ")
    articles = _ARTICLES[language].get(article)
    if articles is None:
        raise PatternError(f"slots.toml: {entry!r} ({language}) must begin with one of {sorted(_ARTICLES[language])}")
    forms = {form: f"{word} {noun}" for form, word in articles.items()} | {"bare": noun}
    if language == "fr" and noun[0] in "aàâeéèêiîoôuhAEIOUÉ":
        forms["the"] = f"l'{noun}"
    return forms


def _code(index: int) -> Value:
    length = 4 + index % 3
    digits = str(10 ** (length - 1) + (index // 3 * 7919) % (9 * 10 ** (length - 1)))
    words = (Word(digits, " ".join(digits)),)
    return Value(digits, {language: {"any": words} for language in LANGUAGES})


def _same(key: str, **texts: str) -> Value:
    return Value(key, {language: {"any": plain(texts[language])} for language in LANGUAGES})


# Gendered numbers (21 sillas, 21 euros; 200 libras) are left out: synthesisers read the masculine or the bare form.
def _ends_well(number: int) -> bool:
    return number % 10 != 1 or number % 100 == 11


def _number(number: int) -> Value:
    return _same(str(number), en=str(number), es=str(number), de=str(number), fr=str(number))


def _counts() -> tuple[Value, ...]:
    return tuple(_number(number) for number in range(2, 41) if _ends_well(number))


def _numbers() -> tuple[Value, ...]:
    return tuple(_number(number) for number in range(1, 101))


def _amounts() -> tuple[Value, ...]:
    values = []
    for number in filter(_ends_well, range(5, 951)):
        values.append(_same(f"{number}e", en=f"{number} euros", es=f"{number} euros", de=f"{number} Euro",
                            fr=f"{number} euros"))  # fmt: skip
        if number <= 100 or number % 50 == 0:
            values.append(_same(f"{number}d", en=f"{number} dollars", es=f"{number} dólares", de=f"{number} Dollar",
                                fr=f"{number} dollars"))  # fmt: skip
        if number <= 100:
            values.append(_same(f"{number}p", en=f"{number} pounds", es=f"{number} libras", de=f"{number} Pfund",
                                fr=f"{number} livres"))  # fmt: skip
    return tuple(values)


def _percents() -> tuple[Value, ...]:
    return tuple(
        _same(str(n), en=f"{n} percent", es=f"{n} por ciento", de=f"{n} Prozent", fr=f"{n} pour cent")
        for n in filter(_ends_well, range(2, 96))
    )


def _durations() -> tuple[Value, ...]:
    units = (
        ("minutes", "minutos", "Minuten", "Minuten", "minutes", range(5, 60, 5)),
        ("hours", "horas", "Stunden", "Stunden", "heures", range(2, 13)),
        ("days", "días", "Tage", "Tagen", "jours", range(2, 15)),
        ("weeks", "semanas", "Wochen", "Wochen", "semaines", range(2, 9)),
        ("months", "meses", "Monate", "Monaten", "mois", range(2, 13)),
    )
    values = []
    for en, es, de, dative, fr, numbers in units:
        for n in numbers:
            value = _same(f"{n} {en}", en=f"{n} {en}", es=f"{n} {es}", de=f"{n} {de}", fr=f"{n} {fr}")
            german = {"any": plain(f"{n} {de}"), "dat": plain(f"{n} {dative}")}
            values.append(Value(value.key, {**value.forms, "de": german}))
    return tuple(values)


def _years() -> tuple[Value, ...]:
    values = []
    for year in range(1990, 2027):
        century, rest = divmod(year, 100)
        if century == 19:
            english, german = f"19 {rest}", f"neunzehnhundert {rest}"
        else:
            english = "2000" if rest == 0 else f"2000 and {rest}" if rest < 10 else f"20 {rest}"
            german = str(year)
        spoken = {"en": english, "es": str(year), "de": german, "fr": str(year)}
        values.append(Value(str(year), {name: {"any": (Word(str(year), text),)} for name, text in spoken.items()}))
    return tuple(values)


def _times() -> tuple[Value, ...]:
    return tuple(_time(hour, minute) for hour in range(2, 13) for minute in (0, 15, 30, 45))


def _time(hour: int, minute: int) -> Value:
    if minute == 0:
        en, de, fr = plain(str(hour)), plain(f"{hour} Uhr"), plain(f"{hour} heures")
        es = plain(str(hour))
        bare = plain(f"{hour} o'clock")
    else:
        digits = f"{hour}:{minute}"
        en = bare = (Word(digits, f"{hour} {minute}"),)
        es = (Word(digits, f"{hour} y " + {15: "cuarto", 30: "media", 45: "45"}[minute]),)
        de = (Word(digits, f"{hour} Uhr"), Word("Uhr", str(minute)))
        fr = (Word(str(hour), str(hour)), Word("h", "heures"), Word(str(minute), str(minute)))
    return Value(
        f"{hour}:{minute:02}",
        {
            "en": {"at": plain("at") + en, "bare": bare},
            "es": {"at": plain("a las") + es, "bare": plain("las") + es},
            "de": {"at": plain("um") + de, "bare": de},
            "fr": {"at": plain("à") + fr, "bare": fr},
        },
    )


_MONTHS: Mapping[str, str] = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
_EN_ORDINALS = (
    "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
    "twenty-fifth twenty-sixth twenty-seventh twenty-eighth"
)
_DE_ORDINALS = (
    "zweiten dritten vierten fünften sechsten siebten achten neunten zehnten elften zwölften dreizehnten vierzehnten "
    "fünfzehnten sechzehnten siebzehnten achtzehnten neunzehnten zwanzigsten einundzwanzigsten zweiundzwanzigsten "
    "dreiundzwanzigsten vierundzwanzigsten fünfundzwanzigsten sechsundzwanzigsten siebenundzwanzigsten "
    "achtundzwanzigsten"
)


def _dates() -> tuple[Value, ...]:
    return tuple(_date(day, month) for month in range(12) for day in range(2, 29))


def _date(day: int, month: int) -> Value:
    names = {language: plain(months.split()[month]) for language, months in _MONTHS.items()}
    en = (Word(str(day), f"the {_EN_ORDINALS.split()[day - 2]} of"), *names["en"])
    es = plain(f"{day} de") + names["es"]
    de = (Word(f"{day}.", _DE_ORDINALS.split()[day - 2]), *names["de"])
    fr = plain(str(day)) + names["fr"]
    return Value(
        f"{day}/{month + 1}",
        {
            "en": {"on": plain("on") + en, "bare": en},
            "es": {"on": plain("el") + es, "bare": es},
            "de": {"on": plain("am") + de, "bare": de},
            "fr": {"on": plain("le") + fr, "bare": fr},
        },
    )


_GENERATED: Mapping[str, Callable[[], tuple[Value, ...]]] = {
    "count": _counts,
    "number": _numbers,
    "amount": _amounts,
    "percent": _percents,
    "duration": _durations,
    "year": _years,
    "time": _times,
    "date": _dates,
}
