"""Withholds what reads like an order to the model, and refuses a question that does."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def shield(question: str, conversation: dict, language: str) -> dict:
    return await nodes.answer_shield(__file__, question, conversation, language)
