"""Means over all lines, and the figures of the whole corpus, as metrics of the run."""

from promptflow.core import log_metric, tool

from dragoman import nodes


@tool
def mean(scores: list) -> dict:
    return nodes.eval_translation_mean(scores, log_metric)
