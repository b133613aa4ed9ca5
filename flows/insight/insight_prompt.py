"""Renders insight_system.jinja2, so many of insight_examples.jsonl, and insight_user.jinja2."""

from promptflow.core import tool

from dragoman import nodes


@tool
def prompt(shielded: dict, language: str, shots: int) -> list:
    return nodes.insight_prompt(__file__, shielded, language, shots)
