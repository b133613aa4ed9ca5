"""Renders answer_system.jinja2, so many of answer_examples.jsonl, and answer_user.jinja2."""

from promptflow.core import tool

from dragoman import nodes


@tool
def prompt(question: str, shielded: dict, language: str, shots: int) -> list:
    return nodes.answer_prompt(__file__, question, shielded, language, shots)
