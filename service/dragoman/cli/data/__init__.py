"""``dragoman data``: what engines and prompts are measured on, and taught with."""

import logging

import click

from dragoman.cli.data.change import clean, split
from dragoman.cli.data.export import export
from dragoman.cli.data.hand_on import push
from dragoman.cli.data.keep import add, diff, list_datasets, pull
from dragoman.cli.data.look import profile, validate
from dragoman.cli.data.shots import shots

_HELP = """Keep datasets, look at them, clean them, split them, hand them on.

A DATASET is NAME or NAME@VERSION in the store, a folder with a manifest.jsonl, or a file of cases (.jsonl). A version
is its content: it changes with every bit of the card, the transcripts and the recordings.
"""


@click.group(help=_HELP)
def data() -> None:
    """Hold the commands."""
    # What Azure's SDKs warn about ends in an error of ours, which says it once.
    logging.getLogger("azure").setLevel(logging.CRITICAL)


for _command in (add, list_datasets, pull, profile, validate, clean, split, diff, push, shots, export):
    data.add_command(_command)
