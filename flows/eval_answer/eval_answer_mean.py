"""Means over all lines, as metrics of the run."""

from promptflow.core import log_metric, tool

from dragoman import nodes


@tool
def mean(scores: list) -> dict:
    return nodes.eval_mean(scores, log_metric)
