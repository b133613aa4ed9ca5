"""Azure Monitor's metrics of endpoints and deployments, made of the requests that were really answered."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, cast

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, JsonValue

from dragoman.emulator.azureml.arm import LOCATION, PROVIDER, ArmError, WorkspaceId, name_of
from dragoman.emulator.azureml.cloud import Cloud, managed
from dragoman.emulator.azureml.durations import seconds
from dragoman.emulator.azureml.endpoints import ENDPOINT
from dragoman.emulator.azureml.state import Json, Sample

_LATENCIES: Final = {
    "RequestLatency": None,
    "RequestLatency_P50": 0.50,
    "RequestLatency_P90": 0.90,
    "RequestLatency_P95": 0.95,
    "RequestLatency_P99": 0.99,
}
NAMES: Final = (*_LATENCIES, "RequestsPerMinute")
_AGGREGATIONS: Final = ("average", "count", "maximum", "minimum", "total")
_DEFAULT_SPAN: Final = timedelta(hours=1)

_Dimensioned = tuple[Sample, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, and in what steps; times in seconds since 1970. The first step begins at ``start``."""

    start: float
    end: float
    grain_s: float

    def steps(self) -> list[float]:
        """Return when each step begins."""
        return [
            self.start + at * self.grain_s for at in range(max(1, math.ceil((self.end - self.start) / self.grain_s)))
        ]


def percentile(sorted_values: Sequence[float], part: float) -> float:
    """Return a percentile by the nearest rank: a value that was really measured."""
    return sorted_values[max(0, math.ceil(part * len(sorted_values)) - 1)]


def points(name: str, samples: Iterable[Sample], span: Span) -> list[Json]:
    """Return one point per step: what a metric was there; without values where nothing was answered.

    ``RequestsPerMinute`` is 0 then. Its average is the rate, and its total the number of requests.
    """
    by_step: defaultdict[int, list[float]] = defaultdict(list)
    for sample in samples:
        by_step[int((sample.at - span.start) // span.grain_s)].append(sample.latency_ms)
    told = list[Json]()
    for at, start in enumerate(span.steps()):
        values = sorted(by_step.get(at, []))
        point: Json = {"timeStamp": _iso(start)}
        if name == "RequestsPerMinute":
            rate = len(values) * 60 / span.grain_s
            point |= {"average": rate, "maximum": rate, "minimum": rate, "total": len(values), "count": len(values)}
        elif values:
            part = _LATENCIES[name]
            if part is None:
                point |= {"average": sum(values) / len(values), "maximum": values[-1], "minimum": values[0]}
                point |= {"total": sum(values), "count": len(values)}
            else:
                value = percentile(values, part)
                point |= {"average": value, "maximum": value, "minimum": value, "total": value, "count": 1}
        told.append(point)
    return told


class _Asked(BaseModel):
    """The query of a request for metrics."""

    metricnames: str = "RequestsPerMinute"
    timespan: str | None = None
    interval: str = "PT1M"
    aggregation: str = "average"
    filter: str | None = Field(default=None, alias="$filter")

    @property
    def names(self) -> list[str]:
        """The metrics that are wanted; raises ``ArmError`` for those that are not there."""
        return _known("metric", self.metricnames, NAMES)

    @property
    def aggregations(self) -> list[str]:
        """The values that are wanted of each point; raises ``ArmError`` for those that are not there."""
        return _known("aggregation", self.aggregation.lower(), _AGGREGATIONS)


def _known(kind: str, text: str, known: Sequence[str]) -> list[str]:
    names = [each.strip() for each in text.split(",")]
    if unknown := [each for each in names if each not in known]:
        raise ArmError(400, "BadRequest", f"There is no {kind} '{unknown[0]}'; there are {', '.join(known)}.")
    return names


def add_metrics(router: APIRouter, cloud: Cloud) -> None:
    """Add the routes."""
    tail = "providers/microsoft.insights/metrics"

    @router.get(f"{ENDPOINT}/{tail}", dependencies=[managed()])
    async def of_endpoint(id_: WorkspaceId, endpoint: str, asked: Annotated[_Asked, Query()]) -> JSONResponse:
        """Return metrics of an endpoint; a copy is no request of it."""
        found = str(cloud.found(f"{id_}/onlineEndpoints/{endpoint}")["id"])
        span = read_span(asked.timespan, asked.interval)
        samples = [each for each in cloud.state.samples(found, span.start, span.end) if not each.mirrored]
        return JSONResponse(_told(found, asked, span, [(each, _of_endpoint(each)) for each in samples]))

    @router.get(f"{ENDPOINT}/deployments/{{deployment}}/{tail}", dependencies=[managed()])
    async def of_deployment(
        id_: WorkspaceId, endpoint: str, deployment: str, asked: Annotated[_Asked, Query()]
    ) -> JSONResponse:
        """Return metrics of a deployment, copies of requests included."""
        found = str(cloud.found(f"{id_}/onlineEndpoints/{endpoint}/deployments/{deployment}")["id"])
        span = read_span(asked.timespan, asked.interval)
        parent, name = found.partition("/deployments/")[0], name_of(found)
        samples = [each for each in cloud.state.samples(parent, span.start, span.end) if each.deployment == name]
        return JSONResponse(_told(found, asked, span, [(each, _of_deployment(each)) for each in samples]))


def _of_endpoint(sample: Sample) -> dict[str, str]:
    """Return the dimensions that an endpoint's metrics have."""
    return {
        "deployment": sample.deployment,
        "statusCode": str(sample.status),
        "statusCodeClass": f"{sample.status // 100}xx",
        "modelStatusCode": str(sample.model_status),
    }


def _of_deployment(sample: Sample) -> dict[str, str]:
    """Return the dimensions that a deployment's metrics have."""
    return {"envoy_response_code": str(sample.status)}


def _told(resource: str, asked: _Asked, span: Span, samples: Sequence[_Dimensioned]) -> Json:
    values = [_metric(resource, name, asked, span, samples) for name in asked.names]
    kind = "/deployments" if "/deployments/" in resource else ""
    return {
        "cost": 0,
        "timespan": f"{_iso(span.start)}/{_iso(span.end)}",
        "interval": asked.interval,
        "namespace": f"{PROVIDER}/workspaces/onlineEndpoints{kind}",
        "resourceregion": LOCATION,
        "value": cast("JsonValue", values),
    }


def _metric(resource: str, name: str, asked: _Asked, span: Span, samples: Sequence[_Dimensioned]) -> Json:
    """Return a metric: one series, or one for each value of the dimensions that it is split by."""
    conditions, wanted = read_filter(asked.filter), {"timeStamp", *asked.aggregations}
    split = [key for key, (_, value) in conditions.items() if value == "*"]
    series: defaultdict[tuple[str, ...], list[Sample]] = defaultdict(list)
    if not split:
        series[()] = []
    for sample, known in samples:
        if unknown := set(conditions) - set(known):
            raise ArmError(400, "BadRequest", f"There is no dimension '{min(unknown)}'; there are {', '.join(known)}.")
        if all(_fits(known[key], *condition) for key, condition in conditions.items()):
            series[tuple(known[key] for key in split)].append(sample)
    shown = [
        {
            "metadatavalues": [
                {"name": {"value": key, "localizedValue": key}, "value": value}
                for key, value in zip(split, values, strict=True)
            ],
            "data": [
                {key: value for key, value in point.items() if key in wanted} for point in points(name, members, span)
            ],
        }
        for values, members in sorted(series.items())
    ]
    return {
        "id": f"{resource}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "unit": "Count" if name == "RequestsPerMinute" else "MilliSeconds",
        "errorCode": "Success",
        "timeseries": cast("JsonValue", shown),
    }


def read_span(timespan: str | None, interval: str | None) -> Span:
    """Return the span of a query; the last hour, in minutes, if nothing is said.

    Raises:
        ArmError: if it cannot be read.
    """
    now = datetime.now(UTC)
    try:
        grain_s = seconds(interval or "PT1M")
        start, _, end = (timespan or "").partition("/")
        begins, ends = (_time(start) or now - _DEFAULT_SPAN, _time(end) or now)
    except ValueError as error:
        raise ArmError(400, "BadRequest", f"{error}.") from error
    if grain_s <= 0 or begins >= ends:
        raise ArmError(400, "BadRequest", "A timespan is START/END, and an interval longer than nothing.")
    # Steps begin where clocks do: at whole minutes, for minutes.
    return Span(math.floor(begins.timestamp() / grain_s) * grain_s, ends.timestamp(), grain_s)


def read_filter(text: str | None) -> dict[str, tuple[str, str]]:
    """Return what is asked of each dimension: ``eq`` or ``ne``, and a value; ``eq *`` splits by it.

    Raises:
        ArmError: if it cannot be read.
    """
    asked = dict[str, tuple[str, str]]()
    for condition in re.split(r"\s+and\s+", text.strip()) if text else []:
        found = re.fullmatch(r"(\w+)\s+(eq|ne)\s+'([^']*)'", condition.strip())
        if found is None:
            raise ArmError(400, "BadRequest", f"'{condition}' is no condition; write DIMENSION eq 'VALUE'.")
        asked[found[1]] = (found[2], found[3])
    return asked


def _fits(value: str, relation: str, asked: str) -> bool:
    return asked == "*" or (value.lower() == asked.lower()) == (relation == "eq")


def _time(text: str) -> datetime | None:
    if not text:
        return None
    read = datetime.fromisoformat(text.replace(" ", "+"))
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
