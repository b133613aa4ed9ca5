"""Experiments in MLflow: what a candidate was made of, what it was measured on, its figures and its report."""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from dragoman.domain.errors import DependencyMissingError, TrackingFailedError
from dragoman.evaluation.report import Report
from dragoman.settings import Settings

_REPORTS: Final = ("report.json", "report.html")


class Tracker:
    """Logs to the SQLite file of the data folder, or wherever it is set (a server, an Azure ML workspace).

    Raises:
        DependencyMissingError: without MLflow.
    """

    def __init__(self, settings: Settings) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it is read on import
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise DependencyMissingError(
                "Experiments need the extra 'tracking': pip install 'dragoman[tracking]'."
            ) from error
        for noisy in ("alembic", "mlflow"):  # they tell of every table that they make
            logging.getLogger(noisy).setLevel(logging.WARNING)
        settings.data.mkdir(parents=True, exist_ok=True)
        self._uri = settings.tracking_uri or f"sqlite:///{settings.data / 'mlflow.db'}"
        self._artifacts = None if settings.tracking_uri else (settings.data / "mlflow").resolve().as_uri()
        self._client = MlflowClient(tracking_uri=self._uri)

    @property
    def uri(self) -> str:
        """Where it logs to."""
        return self._uri

    def begin(self, stage: str, name: str) -> str:
        """Begin a run that others belong to, those of a sweep; return its id. Raises as ``log``."""
        try:
            return str(self._client.create_run(self._experiment(stage), run_name=name).info.run_id)
        except Exception as error:
            raise self._failure(error) from error

    def log(self, report: Report, folder: Path, name: str, parent: str | None = None) -> str:
        """Log a report and its files in ``folder`` as a run; return its id.

        Raises:
            TrackingFailedError: if it cannot be logged.
        """
        from mlflow.entities import Metric, Param, RunTag

        dataset = f"{report.dataset.name}@{report.dataset.version}"
        params = {"dataset": dataset, "stage": report.stage, **dict(_flat(report.candidate))}
        at_ms = round(report.created.timestamp() * 1_000)
        figures = [
            Metric(f"{name}{suffix}", value, at_ms, 0)
            for name, each in report.metrics.items()
            for suffix, value in (("", each.value), ("_low", each.low), ("_high", each.high))
            if value is not None
        ]
        try:
            run = self._client.create_run(self._experiment(report.stage), run_name=name).info.run_id
            tags = [RunTag("mlflow.parentRunId", parent)] if parent else []
            self._client.log_batch(run, figures, [Param(key, value) for key, value in params.items()], tags)
            for file in _REPORTS:
                if (folder / file).is_file():
                    self._client.log_artifact(run, str(folder / file))
            self._client.set_terminated(run)
        except Exception as error:
            raise self._failure(error) from error
        return str(run)

    def end(self, run: str) -> None:
        """End a run that others belong to. Raises as ``log``."""
        try:
            self._client.set_terminated(run)
        except Exception as error:
            raise self._failure(error) from error

    def _experiment(self, stage: str) -> str:
        name = f"dragoman-{stage}"
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name, self._artifacts))

    def _failure(self, error: Exception) -> TrackingFailedError:
        # MLflow, SQLAlchemy and HTTP clients all fail in their own words.
        return TrackingFailedError(f"MLflow could not log to '{self._uri}': {type(error).__name__}: {error}")


def _flat(values: Mapping[str, JsonValue], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}", str(value)
