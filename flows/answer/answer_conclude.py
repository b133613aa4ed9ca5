"""Keeps the sentences that are borne out, and quotes what bears them out."""

from promptflow.core import tool

from dragoman import nodes


@tool
async def conclude(replied: dict, question: str, shielded: dict, language: str) -> dict:
    return await nodes.answer_conclude(__file__, replied, question, shielded, language)
