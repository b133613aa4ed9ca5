"""Keeps the original if the new text is another one."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def conclude(redrafted: dict, conversation: dict, shielded: dict, glossary: list) -> dict:
    return await nodes.polish_conclude(__file__, redrafted, conversation, shielded, glossary)
