"""How well the model translates what it was not trained on, measured through the engine that serves it."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from pathlib import Path
from typing import Final

from sacrebleu import corpus_bleu, corpus_chrf

from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage
from dragoman.engines.ctranslate.folder import describe
from dragoman.engines.ctranslate.options import CTranslate2Options
from dragoman.engines.ctranslate.translator import CTranslate2Translator
from training.text.sentences import LANGUAGES, Split, sentences
from training.translate.copies import shared_signs, with_unseen
from training.translate.slips import bare

DIRECTIONS: Final = tuple(permutations(LANGUAGES, 2))

# Names of people and places that are in no pattern and no slot.
_STRANGERS: Final = (
    "Nakamura", "Okonkwo", "Siobhan", "Gustafsson", "Wojciechowski", "Ximena", "Thibault", "Papadopoulos", "Yusuf",
    "Zanetti", "Bjarne", "Ngozi", "Rodrigues", "Hathaway", "Lindqvist", "Abernathy", "Szabo", "Quentin", "Mbeki",
    "Fitzgerald", "Kowalczyk", "Iwasaki", "Delacroix", "Reykjavik", "Ljubljana", "Montevideo", "Nairobi", "Tromso",
)  # fmt: skip

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of parallel texts, and how their source arrives."""

    name: str
    texts: Sequence[Texts]
    arrive: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Figures:
    """How good the translations of one trial in one direction are.

    BLEU and chrF as sacrebleu gives them, in [0, 100]; ``exact`` is the share of translations that are the reference,
    ``kept`` of those with every shared name and number (``None`` where there are none). Time is the processor's.
    """

    trial: str
    source: str
    target: str
    beam: int
    bleu: float
    chrf: float
    exact: float
    kept: float | None
    ms_per_text: float


def trials(texts: int, seed: int) -> tuple[Trial, ...]:
    """Return what the model is tried on: so many different held-out texts each."""
    combination, pattern = (list(islice(_distinct(split, seed), texts)) for split in ("combination", "pattern"))
    return (
        Trial("combination", combination),
        Trial("pattern", pattern),
        Trial("combination, small letters without marks", combination, bare),
        Trial("combination, unseen names and numbers", list(islice(_with_strangers(seed), texts))),
    )


def evaluate(folder: Path, tried: Sequence[Trial], beams: Sequence[int]) -> Iterator[Figures]:
    """Yield the figures of the model in ``folder``, direction by direction."""
    for beam in beams:
        engine = CTranslate2Translator([describe(folder)], CTranslate2Options(intra_threads=1, beam_size=beam))
        for trial in tried:
            for source, target in DIRECTIONS:
                yield asyncio.run(_measure(engine, trial, source, target, beam))


def means(figures: Sequence[Figures]) -> Iterator[Figures]:
    """Yield the means over all directions, per trial and beam."""
    for trial, beam in dict.fromkeys((one.trial, one.beam) for one in figures):
        chosen = [one for one in figures if (one.trial, one.beam) == (trial, beam)]
        kept = [one.kept for one in chosen if one.kept is not None]
        yield Figures(
            trial,
            "all",
            "all",
            beam,
            _mean([one.bleu for one in chosen]),
            _mean([one.chrf for one in chosen]),
            _mean([one.exact for one in chosen]),
            _mean(kept) if kept else None,
            _mean([one.ms_per_text for one in chosen]),
        )


async def _measure(engine: CTranslate2Translator, trial: Trial, source: str, target: str, beam: int) -> Figures:
    began_s = time.process_time()
    made = [await _translate(engine, trial.arrive(texts[source]), source, target) for texts in trial.texts]
    spent_s = time.process_time() - began_s
    wanted = [texts[target] for texts in trial.texts]
    signs = [(shared_signs(texts), text) for texts, text in zip(trial.texts, made, strict=True)]
    kept = [all(sign in text for sign in shared) for shared, text in signs if shared]
    return Figures(
        trial.name,
        source,
        target,
        beam,
        round(corpus_bleu(made, [wanted]).score, 1),
        round(corpus_chrf(made, [wanted]).score, 1),
        round(_mean([one == other for one, other in zip(made, wanted, strict=True)]), 3),
        round(_mean(kept), 3) if kept else None,
        round(1000 * spent_s / len(made), 1),
    )


async def _translate(engine: CTranslate2Translator, text: str, source: str, target: str) -> str:
    [outcome] = (await engine.translate(text, Locale(source), [TargetLanguage(target)])).values()
    if isinstance(outcome, TranslationFailedError):
        return ""
    return outcome


def _distinct(split: Split, seed: int) -> Iterator[Texts]:
    """Yield sentences of which no two are the same in English, without end."""
    seen: set[str] = set()
    for sentence in sentences(seed, split):
        texts = {language: sentence.text(language) for language in LANGUAGES}
        if texts["en"] not in seen:
            seen.add(texts["en"])
            yield texts


def _with_strangers(seed: int) -> Iterator[Texts]:
    """Yield held-out combinations whose names and long numbers have become others, if they had any."""
    rng = random.Random(seed)
    for texts in _distinct("combination", seed):
        changed = with_unseen(texts, rng, lambda: rng.choice(_STRANGERS))
        if changed != texts:
            yield changed


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 3)
