"""Scores one translation."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def score(source: str, translation: str, reference: str) -> dict:
    return await nodes.eval_translation_score(__file__, source, translation, reference)
