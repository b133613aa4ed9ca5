"""Asks the model, and once more if its answer is not of the right shape."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def draft(messages: list, shielded: dict) -> dict:
    return await nodes.insight_draft(__file__, messages, shielded)
