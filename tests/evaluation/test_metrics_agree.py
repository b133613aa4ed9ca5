"""Our figures, which are made of counts that add up, are those of the libraries, on whatever texts."""

import warnings

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu import corpus_bleu, corpus_chrf, corpus_ter

from dragoman.evaluation.figures import draw, estimate
from dragoman.evaluation.metrics import language, translation
from dragoman.evaluation.metrics.metric import Counts
from dragoman.evaluation.metrics.summary import METRICS as SUMMARY_METRICS
from dragoman.evaluation.metrics.summary import rouge_counts
from dragoman.evaluation.metrics.transcription import METRICS, align, count
from dragoman.evaluation.normalise import words
from dragoman.evaluation.scored import joined
from dragoman.evaluation.units import Unit
from tests.evaluation.test_units import heard, said

LOCALES = ("de-DE", "en-US", "es-ES", "fr-FR")

word = st.sampled_from(["a", "lamp", "lamps", "the", "Lampe,", "über", "46", "don't", "l'eau", "no.", "¿qué?", "-"])
text = st.lists(word, max_size=9).map(" ".join)
pairs = st.lists(st.tuples(text, text, st.sampled_from(LOCALES)), min_size=1, max_size=8)


def unit(truth: str, found: str, locale: str) -> Unit:
    return Unit((said(0, 1_000, truth, locale),), (heard(0, 1_000, found, locale),))


@given(pairs)
def test_error_rates_are_those_of_jiwer(given_pairs: list[tuple[str, str, str]]) -> None:
    units = [unit(*each) for each in given_pairs]
    truths = [" ".join(words(truth, locale)) for truth, _, locale in given_pairs]
    found = [" ".join(words(heard_text, locale)) for _, heard_text, locale in given_pairs]
    counted = [count(each) for each in units]
    wer, cer = METRICS[0], METRICS[1]
    there = [at for at, truth in enumerate(truths) if truth]
    if not there:
        return
    known = [counted[at] for at in there]
    chosen = [truths[at] for at in there], [found[at] for at in there]
    assert estimate(wer.figure, [each.of(wer) for each in known], draw(len(there))).value == pytest.approx(
        jiwer.wer(*chosen), abs=1e-6
    )
    assert estimate(cer.figure, [each.of(cer) for each in known], draw(len(there))).value == pytest.approx(
        jiwer.cer(*chosen), abs=1e-6
    )


@given(text, text, st.sampled_from(LOCALES))
def test_an_alignment_holds_every_word_once_and_in_order(truth: str, found: str, locale: str) -> None:
    steps = align(unit(truth, found, locale))
    assert " ".join(step.said for step in steps if step.said).split() == words(truth, locale)
    assert " ".join(step.heard for step in steps if step.heard).split() == words(found, locale)
    errors = sum(max(len(step.said.split()), len(step.heard.split())) for step in steps if step.change != "equal")
    assert errors == count(unit(truth, found, locale)).sums["words"][0]


@given(st.lists(st.tuples(st.sampled_from(LOCALES), st.sampled_from([*LOCALES, None])), min_size=1, max_size=60))
@pytest.mark.slow
def test_identification_is_that_of_scikit_learn(decided: list[tuple[str, str | None]]) -> None:
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    units = [Unit((said(0, 9, locale=spoken),), (heard(0, 9, locale=got),) if got else ()) for spoken, got in decided]
    counted = [language.count(each, LOCALES) for each in units]
    truth, found = [spoken for spoken, _ in decided], [got or language.UNHEARD for _, got in decided]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = sorted(set(truth))
        precision, recall, f1, _ = precision_recall_fscore_support(
            truth, found, labels=labels, average="macro", zero_division=0
        )
        matrix = confusion_matrix(truth, found, labels=[*LOCALES, language.UNHEARD])
    values = {
        metric.name: estimate(metric.figure, [each.of(metric) for each in counted], draw(len(counted))).value
        for metric in language.metrics(LOCALES)
        if metric.counts == "languages"
    }
    expected = {
        "lid_accuracy": accuracy_score(truth, found),
        "lid_precision": precision,
        "lid_recall": recall,
        "lid_f1": f1,
    }
    assert values == pytest.approx(expected, abs=1e-6)
    assert language.confusion(joined(counted).sums["languages"], LOCALES) == matrix[:-1].tolist()


@settings(max_examples=60)
@given(st.lists(st.tuples(text, text), min_size=1, max_size=6))
def test_translations_score_as_with_sacrebleu(given_pairs: list[tuple[str, str]]) -> None:
    truths, found = [truth for truth, _ in given_pairs], [made for _, made in given_pairs]
    counted = [Counts(translation.count_text(made, truth, "de")) for truth, made in given_pairs]
    values = {
        metric.name: estimate(metric.figure, [each.of(metric) for each in counted], draw(len(counted))).value
        for metric in translation.metrics(["de"])
        if metric.name != "translated"
    }
    expected = {
        "bleu/de": corpus_bleu(found, [truths]).score,
        "chrf/de": corpus_chrf(found, [truths]).score,
        "ter/de": corpus_ter(found, [truths]).score,
    }
    assert values == pytest.approx(expected, abs=1e-5)


def test_languages_without_spaces_are_scored_by_characters() -> None:
    same = Counts(translation.count_text("今日はいい天気", "今日はいい天気", "ja"))
    metric = next(each for each in translation.metrics(["ja"]) if each.name == "bleu/ja")
    assert estimate(metric.figure, [same.of(metric)], draw(1)).value == pytest.approx(100.0)
    assert "tok:char" in translation.signatures(["ja"])["bleu/ja"]


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.tuples(text.filter(bool), text), min_size=1, max_size=5))
def test_summaries_score_as_with_rouge_score(given_pairs: list[tuple[str, str]]) -> None:
    from rouge_score.rouge_scorer import RougeScorer  # takes seconds to load

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    each_score = [scorer.score(truth, made) for truth, made in given_pairs]
    counted = [rouge_counts(made, truth) for truth, made in given_pairs]
    for metric in SUMMARY_METRICS:
        value = estimate(metric.figure, [each.of(metric) for each in counted], draw(len(counted))).value
        assert value == pytest.approx(np.mean([score[metric.name].fmeasure for score in each_score]), abs=1e-5)
