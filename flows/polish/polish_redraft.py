"""Asks the model, and once more if its answer is not of the right shape."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def redraft(messages: list, conversation: dict, shielded: dict) -> dict:
    return await nodes.polish_redraft(__file__, messages, conversation, shielded)
