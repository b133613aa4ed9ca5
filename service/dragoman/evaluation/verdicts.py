"""Rules and baselines in files, and verdicts as people and machines read them."""

import json
import tomllib
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from dragoman.domain.errors import GateInvalidError
from dragoman.domain.validation import first_problem
from dragoman.evaluation.gate import Baseline, Check, Rules, Verdict

RULES: Final = "gate.toml"
BASELINE: Final = "baseline.json"

_CHECKED: Final = {"limit": "limit", "regression": "baseline", "gap": "fairness", "data": "data"}


def read_rules(file: Path) -> Rules:
    """Return the rules of a TOML file.

    Raises:
        GateInvalidError: naming what is wrong with it.
    """
    try:
        return Rules.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GateInvalidError(f"The rules in '{file}' cannot be read: {error}") from error
    except ValidationError as error:
        raise GateInvalidError(f"The rules in '{file}' are wrong: {first_problem(error)}.") from error


def read_baseline(file: Path) -> Baseline | None:
    """Return the baseline of a file, if there is one.

    Raises:
        GateInvalidError: if it holds something else.
    """
    if not file.exists():
        return None
    try:
        return Baseline.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        told = first_problem(error) if isinstance(error, ValidationError) else str(error)
        raise GateInvalidError(f"'{file}' is no baseline: {told}.") from error


def write_baseline(baseline: Baseline, file: Path) -> None:
    """Write a baseline so that a change of it can be read in a review: sorted, a figure per line."""
    content = baseline.model_dump(mode="json")
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def as_text(verdict: Verdict) -> str:
    """Return a verdict in lines."""
    passed = sum(check.is_passed for check in verdict.checks)
    said = "passed" if verdict.is_passed else "STOPPED"
    lines = [f"{verdict.stage} on {verdict.dataset}: {said}, {passed} of {len(verdict.checks)} checks hold"]
    return "\n".join([*lines, *(f"  ✗ {reason}" for reason in verdict.reasons)]) + "\n"


def as_markdown(verdict: Verdict) -> str:
    """Return a verdict as the summary of a check on GitHub."""
    title = "✅ passed" if verdict.is_passed else "❌ stopped"
    passed = sum(check.is_passed for check in verdict.checks)
    lines = [f"### {verdict.stage} on `{verdict.dataset}`: {title}", ""]
    lines += [*(f"- ❌ {_escaped(reason)}" for reason in verdict.reasons), ""] if verdict.reasons else []
    lines += [f"<details><summary>{passed} of {len(verdict.checks)} checks hold</summary>", ""]
    lines += ["| | metric | where | checked | value | limit | n |", "|---|---|---|---|--:|--:|--:|"]
    lines += [_row(check) for check in verdict.checks]
    return "\n".join([*lines, "", "</details>", ""])


def _row(check: Check) -> str:
    value = "–" if check.value is None else f"{check.value:.4g}"
    limit = "–" if check.limit is None else f"{check.limit:.4g}"
    mark = "✅" if check.is_passed else "❌"
    cells = [mark, _escaped(check.metric), _escaped(check.where), _CHECKED[check.kind], value, limit, str(check.n)]
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
