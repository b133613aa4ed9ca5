"""What evidence speaks of: digests of everything that shapes an answer."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from dragoman.domain.errors import ReleaseInvalidError
from dragoman.evaluating.candidate import describe_chat
from dragoman.evaluating.cases import make_stage
from dragoman.evaluation.cost import read_prices
from dragoman.releasing.spec import Release
from dragoman.resources import code_digest, content_digest
from dragoman.steps import Steps

WORDS: Final = ("{flow}_system.jinja2", "{flow}_user.jinja2", "{flow}_examples.jsonl")
"""Files of a flow that a deployment reads."""

Subjects = Mapping[str, str]
"""SHA-256 in hex by name: ``flow/insight``, ``package/dragoman``, ``candidate/insight``, ``image/…``, or ``lock/…`` and
``dockerfile/…``.
"""


@dataclass(frozen=True, slots=True)
class Identified:
    """A release with its digests, and what an evaluation must say of its candidate."""

    release: Release
    subjects: Subjects
    candidate: Mapping[str, JsonValue]

    @property
    def version(self) -> str:
        """Twelve hex digits that change with anything that is released."""
        return canonical_digest(self.subjects)[:12]

    @property
    def model_version(self) -> str:
        """Of the flow's words alone."""
        return self.subjects[f"flow/{self.release.flow}"][:12]

    @property
    def environment_version(self) -> str:
        """Of the image, or of what one is built from."""
        chosen = {name: each for name, each in self.subjects.items() if not name.startswith(("flow/", "candidate/"))}
        return canonical_digest(chosen)[:12]


def words_of(release: Release) -> list[Path]:
    """Return the files of a flow that a deployment reads.

    Raises:
        ReleaseInvalidError: if one is not there.
    """
    files = [release.flow_folder / name.format(flow=release.flow) for name in WORDS]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise ReleaseInvalidError(f"The flow has no '{missing[0].name}' in '{release.flow_folder}'.")
    return files


def identify(release: Release) -> Identified:
    """Return the digests of what is about to be released, from the files as they lie there now.

    Raises:
        ReleaseInvalidError: if a file is missing.
        SettingsError, DependencyMissingError: if the flow cannot be made as it is set.
    """
    candidate = _candidate(release)
    subjects = {
        f"flow/{release.flow}": content_digest(release.flow_folder, words_of(release)),
        "package/dragoman": code_digest(),
        f"candidate/{release.flow}": canonical_digest(candidate),
    }
    environment = release.environment
    if environment.image:
        name, _, digest = environment.image.partition("@sha256:")
        subjects[f"image/{name}"] = digest
    if environment.lock:
        subjects[f"lock/{environment.lock.name}"] = _digest_of(environment.lock)
    if environment.context:
        subjects[f"dockerfile/{environment.dockerfile}"] = _digest_of(environment.context / environment.dockerfile)
    return Identified(release, subjects, candidate)


def canonical_digest(value: Mapping[str, JsonValue]) -> str:
    """Return the SHA-256 of a value as JSON, keys sorted, in hex."""
    told = json.dumps(dict(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _digest_of(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ReleaseInvalidError(f"'{file}', which the environment is made of, cannot be read: {error}.") from error


def _candidate(release: Release) -> dict[str, JsonValue]:
    """Return what an evaluation would say of this candidate: model, words, examples, guard and judge."""
    settings = release.deployed_settings
    steps = Steps(settings)
    try:
        stage = make_stage(release.flow, steps, read_prices(), release.flow_folder, release.shots)
        return {**describe_chat(settings), **stage.identity()}
    finally:
        steps.close()
