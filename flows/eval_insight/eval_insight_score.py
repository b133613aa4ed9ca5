"""Scores one insight."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def score(insight: dict, conversation: dict, expected: list) -> dict:
    return await nodes.eval_insight_score(__file__, insight, conversation, expected)
