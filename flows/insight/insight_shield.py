"""Withholds what reads like an order to the model."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def shield(conversation: dict, language: str) -> dict:
    return await nodes.insight_shield(__file__, conversation, language)
