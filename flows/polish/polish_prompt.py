"""Renders polish_system.jinja2, so many of polish_examples.jsonl, and polish_user.jinja2."""

from promptflow.core import tool

from dragoman import nodes


@tool
def prompt(conversation: dict, shielded: dict, glossary: list, shots: int) -> list:
    return nodes.polish_prompt(__file__, conversation, shielded, glossary, shots)
