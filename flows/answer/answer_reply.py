"""Asks the model."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def reply(messages: list) -> dict:
    return await nodes.answer_reply(__file__, messages)
