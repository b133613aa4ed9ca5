"""Keeps what is borne out by what was said, and harms nobody."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def conclude(drafted: dict, shielded: dict, conversation: dict, language: str) -> dict:
    return await nodes.insight_conclude(__file__, drafted, shielded, conversation, language)
