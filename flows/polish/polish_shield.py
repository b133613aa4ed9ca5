"""Withholds what reads like an order to the model; if the utterance does, it stays as it is."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def shield(conversation: dict) -> dict:
    return await nodes.polish_shield(__file__, conversation)
