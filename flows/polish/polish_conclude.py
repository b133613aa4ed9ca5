"""Keeps the original if the new text is another one."""

from promptflow.core import tool

from dragoman import nodes


@tool
def conclude(redrafted: dict, conversation: dict, shielded: dict, glossary: list) -> dict:
    return nodes.polish_conclude(__file__, redrafted, conversation, shielded, glossary)
