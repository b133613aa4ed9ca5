"""What is promised, watched and told: read from a TOML file."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dragoman.domain.errors import SettingsError
from dragoman.domain.validation import first_problem
from dragoman.monitoring.drift import DEFAULT_RULES, DriftRules
from dragoman.monitoring.objectives import Burn, Objective
from dragoman.monitoring.signals import SIGNALS

DEFAULT_FILE: Final = Path(__file__).parent / "monitoring.toml"

Severity = Annotated[int, Field(ge=0, le=4)]
"""As in Azure Monitor: 0 is critical, 1 an error, 2 a warning, 3 to know, 4 for who looks closely."""

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Drift(_Part):
    """How drift is looked for; see ``DriftRules``. The reference is the ``days`` before, or those from ``since`` on."""

    days: Annotated[int, Field(ge=7, le=90)] = 28
    since: date | None = None
    test: Literal["ks", "psi"] = DEFAULT_RULES.test
    alpha: Annotated[float, Field(gt=0, lt=1)] = DEFAULT_RULES.alpha
    least_ks: Annotated[float, Field(ge=0, le=1)] = DEFAULT_RULES.least_ks
    least_psi: Annotated[float, Field(ge=0)] = DEFAULT_RULES.least_psi
    least_n: Annotated[int, Field(ge=20)] = DEFAULT_RULES.least_n
    least_days: Annotated[int, Field(ge=5)] = DEFAULT_RULES.least_days
    severity: Severity = 3

    @property
    def rules(self) -> DriftRules:
        """What the judgement takes."""
        return DriftRules(self.test, self.alpha, self.least_ks, self.least_psi, self.least_n, self.least_days)


class SignalAlert(_Part):
    """Somebody is told while the mean of a figure over ``hours`` is beyond a limit, until it is back at ``clear``."""

    name: _Name
    title: str
    signal: str
    hours: Annotated[int, Field(ge=1, le=168)]
    above: float | None = None
    below: float | None = None
    clear: float
    least_n: Annotated[int, Field(ge=1)] = 50
    severity: Severity = 3

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if self.signal not in SIGNALS:
            raise ValueError(f"there is no figure '{self.signal}', only {', '.join(SIGNALS)}")
        if (self.above is None) == (self.below is None):
            raise ValueError(f"'{self.name}' needs either 'above' or 'below'")
        if (self.above is not None and self.clear > self.above) or (self.below is not None and self.clear < self.below):
            raise ValueError(f"'clear' of '{self.name}' is beyond its limit: what fires would be well at once")
        return self

    @property
    def limit(self) -> float:
        """Where it begins to be too much, or too little."""
        limit = self.above if self.above is not None else self.below
        assert limit is not None
        return limit

    def is_bad(self, mean: float) -> bool:
        """Return whether a mean is beyond the limit."""
        return mean > self.limit if self.above is not None else mean < self.limit

    def is_well(self, mean: float) -> bool:
        """Return whether a mean is back where nobody needs to know."""
        return mean <= self.clear if self.above is not None else mean >= self.clear


class BudgetAlert(_Part):
    """Somebody is told when a tenant has used this share of its budget."""

    warn_at: Annotated[float, Field(gt=0, le=1)] = 0.8
    severity: Severity = 3


class MonitoringRules(_Part):
    """All of it."""

    drift: Drift = Drift()
    objectives: tuple[Objective, ...] = ()
    burns: tuple[Burn, ...] = ()
    alerts: tuple[SignalAlert, ...] = ()
    budget: BudgetAlert = BudgetAlert()

    @model_validator(mode="after")
    def _names_are_of_one(self) -> Self:
        for names in ([each.name for each in self.objectives], [each.name for each in self.alerts]):
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise ValueError(f"two are called '{twice}'")
        return self


def read_rules(file: Path | None = None) -> MonitoringRules:
    """Return the rules of a file, or those that ship.

    Raises:
        SettingsError: naming what is wrong with the file.
    """
    path = file or DEFAULT_FILE
    try:
        return MonitoringRules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        problem = first_problem(error)
        raise SettingsError(f"The rules in '{path}' (DRAGOMAN_MONITORING) cannot be used: {problem}.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The rules in '{path}' (DRAGOMAN_MONITORING) cannot be read: {error}") from error
