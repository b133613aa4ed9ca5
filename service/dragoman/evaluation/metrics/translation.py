"""BLEU, chrF and TER of what was heard and translated, by sacrebleu, and how much was translated at all."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, Protocol, cast

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from dragoman.datasets.items import Reference
from dragoman.domain.language import Locale, TargetLanguage, base_language, is_same_language
from dragoman.evaluation.figures import Better, Floats, OfSums
from dragoman.evaluation.metrics import meaning
from dragoman.evaluation.metrics.meaning import Encoder
from dragoman.evaluation.metrics.metric import Counts, Metric, share
from dragoman.evaluation.units import Unit
from dragoman.pipeline.transcript import Utterance

GROUP: Final = "Translation"

_CHARACTER_TOKENS: Final = {"ja": "char", "ko": "char", "th": "char", "zh": "zh"}
"""How BLEU parts texts without spaces; everywhere else its own tokenizer, 13a."""


class _Scorer(Protocol):
    """What sacrebleu's own tests of significance use: counts per segment, and a score of their sums."""

    def _extract_corpus_statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[list[float]]: ...

    def _aggregate_and_compute(self, stats: Sequence[Sequence[float]]) -> "_Score": ...


class _Score(Protocol):
    score: float


def metrics(targets: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics for each target language."""
    found = [
        share("translated", "Utterances that were translated", GROUP, "higher"),
    ]
    for target in targets:
        for name, better, scorer in _scorers(base_language(target)):
            title = f"{_TITLES[name]} into {target}"
            counts = f"{name}/{target}"
            found.append(Metric(counts, title, GROUP, better, "score", counts, OfSums(_of(scorer), observed=-1)))
    return tuple(found)


def signatures(targets: Sequence[str]) -> dict[str, str]:
    """Return how every score is made, in sacrebleu's words."""
    return {
        f"{name}/{target}": str(cast("BLEU", scorer).get_signature())
        for target in targets
        for name, _, scorer in _scorers(base_language(target))
    }


def count(unit: Unit, targets: Sequence[str], encoder: Encoder | None = None) -> Counts:
    """Return the counts of a stretch: what was heard is read in each target, translated if need be."""
    sums: dict[str, tuple[float, ...]] = {}
    due = [(each, target) for each in unit.heard for target in targets if not _same(each.locale, target)]
    if due and unit.references:
        done = sum(bool(each.translations.get(target)) for each, target in due)
        sums["translated"] = (float(done), float(len(due)))
    for target in targets:
        if all(_same(each.locale, target) for each in unit.references):
            continue  # there is nothing to translate
        if not all(_same(each.locale, target) or each.translations.get(target) for each in unit.references):
            continue  # nobody knows how it should read
        said = " ".join(_in(each, target) for each in unit.references)
        sums |= count_text(" ".join(_in(each, target) for each in unit.heard), said, target, encoder)
    return Counts(sums)


def count_text(text: str, reference: str, target: str, encoder: Encoder | None = None) -> dict[str, tuple[float, ...]]:
    """Return the counts of one text in a language beside its reference."""
    counts: dict[str, tuple[float, ...]] = {}
    if encoder:
        counts |= meaning.counts(target, *encoder.score([text], [reference])).sums
    for name, _, scorer in _scorers(base_language(target)):
        (found,) = scorer._extract_corpus_statistics([text], [[reference]])
        counts[f"{name}/{target}"] = (*map(float, found), 1.0)
    return counts


_TITLES: Final = {"bleu": "BLEU", "chrf": "chrF", "ter": "TER"}


@cache
def _scorers(language: str) -> tuple[tuple[str, Better, _Scorer], ...]:
    tokenize = _CHARACTER_TOKENS.get(language, "13a")
    return (
        ("bleu", "higher", cast("_Scorer", BLEU(tokenize=tokenize))),
        ("chrf", "higher", cast("_Scorer", CHRF())),
        ("ter", "lower", cast("_Scorer", TER())),
    )


def _of(scorer: _Scorer) -> Callable[[Floats], Floats]:
    def scores(sums: Floats) -> Floats:
        return np.array(
            [scorer._aggregate_and_compute([each[:-1].tolist()]).score if each[-1] else np.nan for each in sums]
        )

    return scores


def _in(each: Reference | Utterance, target: str) -> str:
    return each.text if _same(each.locale, target) else each.translations.get(target) or ""


@cache
def _same(locale: str, target: str) -> bool:
    return is_same_language(Locale(locale), TargetLanguage(target))
