"""What the commands of a release share: options, and the desk."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dragoman.domain.errors import DependencyMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.releasing.desk import Desk
    from dragoman.releasing.ledger import Entry
    from dragoman.releasing.workspace import Wanted
    from dragoman.settings import Settings

RELEASE: Final = click.argument("release", type=click.Path(exists=True, path_type=Path))
EVIDENCE: Final = click.option(
    "--evidence",
    "-e",
    "proof",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What 'dragoman gate --sign' wrote. [default: evaluation/FLOW/evidence.dsse.json]",
)
RULES: Final = click.option(
    "--rules",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rules (TOML) that the candidate must have been judged by; those that ship for its flow.",
)
YES: Final = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
FORMAT: Final = click.option(
    "--format", "-f", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


def needing_release() -> DependencyMissingError:
    """Return the error that says what to install."""
    return DependencyMissingError("Releases need the extra 'aml': pip install 'dragoman[aml,eval]'.")


def open_desk(release: Path, rules: Path | None = None) -> "Desk":
    """Return the desk of a release, in the workspace that is set.

    Raises:
        DependencyMissingError: if what it takes is not installed.
    """
    from dragoman.settings import read_settings

    settings = read_settings()
    try:
        from dragoman.releasing.access import access_of

        access_of(settings)  # what is set wrongly is said before the SDK is loaded, which takes seconds
        from dragoman.releasing.desk import Desk
    except ImportError as error:
        raise needing_release() from error
    from dragoman.evaluation.verdicts import read_rules
    from dragoman.releasing.spec import read_release

    return Desk(settings, read_release(release), read_rules(rules) if rules else None, _trail(settings))


def wanted_of(desk: "Desk", proof: Path | None) -> "Wanted":
    """Return the release with its evidence."""
    from dragoman.releasing.evidence import read_evidence
    from dragoman.releasing.spec import default_evidence

    return desk.wanted(read_evidence(proof or default_evidence(desk.release)))


def _trail(settings: "Settings") -> "Callable[[Entry], None]":
    """Return what tells the audit trail of the database, if one is set."""
    if settings.database_url is None:
        return lambda entry: None
    from dragoman.storage import open_ledgers

    audit = open_ledgers(settings).audit

    def tell(entry: "Entry") -> None:
        decision = str(entry.details.get("decision", ""))
        details: dict[str, str | int | None] = {"seq": entry.seq, "seal": entry.seal, "decision": decision}
        audit.add("releases", entry.who, f"release.{entry.action.replace(' ', '_')}", entry.release, details)

    return tell
