"""Azure Monitor's metrics of endpoints and deployments, made of the requests that were really answered."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, cast

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import JsonValue

from dragoman.emulator.azureml.arm import LOCATION, WORKSPACE, ArmError, WorkspaceId, not_found
from dragoman.emulator.azureml.cloud import Cloud, managed
from dragoman.emulator.azureml.durations import seconds
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


def dimensions(sample: Sample, *, of_deployment: bool) -> dict[str, str]:
    """Return the dimensions of a sample, under the names that its resource has for them."""
    if of_deployment:
        return {"envoy_response_code": str(sample.status)}
    return {
        "deployment": sample.deployment,
        "statusCode": str(sample.status),
        "statusCodeClass": f"{sample.status // 100}xx",
        "modelStatusCode": str(sample.model_status),
    }


def add_metrics(router: APIRouter, cloud: Cloud) -> None:
    """Add the routes."""
    endpoint_, tail = f"{WORKSPACE}/onlineEndpoints/{{endpoint}}", "providers/microsoft.insights/metrics"
    query = Annotated[str | None, Query()]

    def told(
        resource_id: str,
        deployment: str | None,
        metricnames: str | None,
        timespan: str | None,
        interval: str | None,
        aggregation: str | None,
        filter_: str | None,
    ) -> JSONResponse:
        if cloud.state.get(resource_id) is None:
            raise not_found(resource_id)
        span = read_span(timespan, interval)
        names = [each.strip() for each in (metricnames or "RequestsPerMinute").split(",")]
        if unknown := [each for each in names if each not in NAMES]:
            raise ArmError(400, "BadRequest", f"There is no metric '{unknown[0]}'; there are {', '.join(NAMES)}.")
        wanted = [each.strip().lower() for each in (aggregation or "average").split(",")]
        if set(wanted) - set(_AGGREGATIONS):
            raise ArmError(400, "BadRequest", f"Aggregations are {', '.join(_AGGREGATIONS)}.")
        endpoint = resource_id.partition("/deployments/")[0]
        samples = [
            each
            for each in cloud.state.samples(endpoint, span.start, span.end)
            # A copy is no request of the endpoint's; it is one of the deployment that got it.
            if (each.deployment == deployment if deployment else not each.mirrored)
        ]
        conditions = read_filter(filter_)
        values = [
            _metric(resource_id, name, samples, span, conditions, wanted, deployment is not None) for name in names
        ]
        return JSONResponse(
            {
                "cost": 0,
                "timespan": f"{_iso(span.start)}/{_iso(span.end)}",
                "interval": interval or "PT1M",
                "namespace": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
                + ("/deployments" if deployment else ""),
                "resourceregion": LOCATION,
                "value": cast("JsonValue", values),
            }
        )

    @router.get(f"{endpoint_}/{tail}", dependencies=[managed()])
    async def of_endpoint(
        id_: WorkspaceId,
        endpoint: str,
        metricnames: query = None,
        timespan: query = None,
        interval: query = None,
        aggregation: query = None,
        filter_: Annotated[str | None, Query(alias="$filter")] = None,
    ) -> JSONResponse:
        """Return metrics of an endpoint."""
        resource_id = f"{id_}/onlineEndpoints/{endpoint}"
        return told(resource_id, None, metricnames, timespan, interval, aggregation, filter_)

    @router.get(f"{endpoint_}/deployments/{{deployment}}/{tail}", dependencies=[managed()])
    async def of_deployment(
        id_: WorkspaceId,
        endpoint: str,
        deployment: str,
        metricnames: query = None,
        timespan: query = None,
        interval: query = None,
        aggregation: query = None,
        filter_: Annotated[str | None, Query(alias="$filter")] = None,
    ) -> JSONResponse:
        """Return metrics of a deployment, copies of requests included."""
        resource_id = f"{id_}/onlineEndpoints/{endpoint}/deployments/{deployment}"
        return told(resource_id, deployment, metricnames, timespan, interval, aggregation, filter_)


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


def _metric(
    resource_id: str,
    name: str,
    samples: Sequence[Sample],
    span: Span,
    conditions: Mapping[str, tuple[str, str]],
    wanted: Sequence[str],
    of_deployment: bool,
) -> Json:
    series: defaultdict[tuple[tuple[str, str], ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        known = dimensions(sample, of_deployment=of_deployment)
        if unknown := set(conditions) - set(known):
            raise ArmError(400, "BadRequest", f"There is no dimension '{sorted(unknown)[0]}'.")
        if all(_fits(known[key], *asked) for key, asked in conditions.items()):
            series[tuple((key, known[key]) for key, (_, value) in conditions.items() if value == "*")].append(sample)
    if not series and not any(value == "*" for _, value in conditions.values()):
        series[()] = []
    shown = list[JsonValue]()
    for split, members in sorted(series.items()):
        data = [
            {key: value for key, value in point.items() if key == "timeStamp" or key in wanted}
            for point in points(name, members, span)
        ]
        labels = [{"name": {"value": key, "localizedValue": key}, "value": value} for key, value in split]
        shown.append(cast("JsonValue", {"metadatavalues": labels, "data": data}))
    return {
        "id": f"{resource_id}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "unit": "Count" if name == "RequestsPerMinute" else "MilliSeconds",
        "errorCode": "Success",
        "timeseries": shown,
    }


def _fits(value: str, relation: str, asked: str) -> bool:
    return asked == "*" or (value.lower() == asked.lower()) == (relation == "eq")


def _time(text: str) -> datetime | None:
    if not text:
        return None
    read = datetime.fromisoformat(text.replace(" ", "+"))
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
