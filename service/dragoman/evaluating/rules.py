"""Where the rules of a stage lie: those of the steps in their flows, those of speech beside the samples."""

from pathlib import Path

from dragoman.domain.errors import GateInvalidError
from dragoman.evaluation.verdicts import RULES
from dragoman.resources import flows_folder, samples_folder


def rules_of(stage: str) -> Path:
    """Return the rules that ship for a stage.

    Raises:
        GateInvalidError: if none do.
    """
    for file in (flows_folder() / stage / RULES, samples_folder() / stage / RULES):
        if file.is_file():
            return file
    raise GateInvalidError(f"No rules ship for the stage '{stage}'; name them with --rules.")
