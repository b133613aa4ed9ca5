"""Scores one answer."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def score(answer: dict, conversation: dict, language: str, expected: list) -> dict:
    return await nodes.eval_answer_score(__file__, answer, conversation, language, expected)
