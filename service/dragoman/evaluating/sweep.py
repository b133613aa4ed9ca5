"""Variants of engine, words and examples over one dataset: each is evaluated, logged, and compared with the first."""

import tomllib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dragoman.datasets.dataset import Dataset
from dragoman.domain.errors import SweepInvalidError
from dragoman.domain.validation import first_problem
from dragoman.evaluating.evaluation import STAGES, Wanted, evaluate, write_report
from dragoman.evaluation.comparing import Difference, compare
from dragoman.evaluation.report import Report
from dragoman.evaluation.run import Progress
from dragoman.settings import Settings


class Variant(BaseModel):
    """A candidate: ``settings`` by name (``beam_size``); of a step the folder of its ``words``, and its ``shots``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")
    settings: Mapping[str, str | int | float | bool] = {}
    words: Path | None = None
    shots: int | None = Field(default=None, ge=0)


class Sweep(BaseModel):
    """The variants of a stage; the first is what the others are compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    variants: tuple[Variant, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> "Sweep":
        names = [each.name for each in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("two variants have the same name")
        if self.stage not in STAGES:
            raise ValueError(f"there is no stage '{self.stage}', only {', '.join(STAGES)}")
        return self


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report of a variant, where it lies, and how it differs from that of the first; empty for the first."""

    variant: Variant
    folder: Path
    report: Report
    differences: tuple[Difference, ...]


def read_sweep(file: Path) -> Sweep:
    """Return the variants of a TOML file; folders in it are relative to it.

    Raises:
        SweepInvalidError: naming what is wrong.
    """
    try:
        sweep = Sweep.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SweepInvalidError(f"The variants in '{file}' cannot be read: {error}") from error
    except ValidationError as error:
        raise SweepInvalidError(f"The variants in '{file}' are wrong: {first_problem(error)}.") from error
    folder = file.parent
    variants = [
        each.model_copy(update={"words": folder / each.words}) if each.words else each for each in sweep.variants
    ]
    return sweep.model_copy(update={"variants": tuple(variants)})


async def run_sweep(
    sweep: Sweep,
    dataset: Dataset,
    folder: Path,
    settings: Settings,
    tell: Callable[[str, Progress], None] = lambda variant, progress: None,
    *,
    afresh: bool = False,
) -> AsyncGenerator[Outcome, None]:
    """Yield the outcome of every variant, in order; each rests in a folder of its name. Raises as ``evaluate``."""
    first: Report | None = None
    for variant in sweep.variants:
        wanted = Wanted(
            stage=sweep.stage, folder=folder / variant.name, words=variant.words, shots=variant.shots, afresh=afresh
        )

        def told(progress: Progress, name: str = variant.name) -> None:
            tell(name, progress)

        report = await evaluate(settings_of(settings, variant), dataset, wanted, told)
        await write_report(report, dataset, wanted.folder)
        differences = tuple(compare(first, report)) if first else ()
        first = first or report
        yield Outcome(variant, wanted.folder, report, differences)


def settings_of(settings: Settings, variant: Variant) -> Settings:
    """Return the settings with those of a variant.

    Raises:
        SweepInvalidError: naming the one that is wrong.
    """
    unknown = sorted(set(variant.settings) - set(Settings.model_fields))
    if unknown:
        raise SweepInvalidError(f"Variant '{variant.name}': there is no setting '{unknown[0]}'.")
    try:
        return Settings.model_validate({**settings.model_dump(), **variant.settings})
    except ValidationError as error:
        raise SweepInvalidError(f"Variant '{variant.name}': {first_problem(error)}.") from error
