"""What Azure tells of live traffic: the metrics of Azure Monitor, and what Azure ML collected in Blob Storage."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.storage.blob import ContainerClient
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.domain.errors import WorkspaceFailedError
from dragoman.domain.validation import first_problem
from dragoman.releasing.access import MANAGEMENT, WorkspaceAccess
from dragoman.releasing.live import Minute
from dragoman.releasing.workspace import SLOTS, Collected

_VERSION: Final = "2023-10-01"
_LATENCIES: Final = {f"RequestLatency_P{percent}": percent for percent in (50, 90, 95, 99)}
_STATUS: Final = "envoy_response_code"
_FOLDER: Final = "modelDataCollector"
_KEPT: Final = 4_000
"""Questions and answers of a slot that are held in memory."""


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Point(_Read):
    timeStamp: datetime  # noqa: N815 - Azure's name
    average: float | None = None


class _Text(_Read):
    value: str


class _Label(_Read):
    name: _Text
    value: str


class _Series(_Read):
    metadatavalues: tuple[_Label, ...] = ()
    data: tuple[_Point, ...] = ()


class _Metric(_Read):
    name: _Text
    timeseries: tuple[_Series, ...] = ()


class _Metrics(_Read):
    value: tuple[_Metric, ...]


class _Record(_Read):
    """A line of collected data, in the format of CloudEvents."""

    time: datetime
    xrequestid: str
    data: JsonValue = None
    datainblob: str | None = None


@dataclass
class _Tail:
    """How far a blob was read."""

    offset: int = 0
    rest: bytes = b""


@dataclass
class _Pairs:
    """Questions and answers of a slot by request, in the order in which they were read."""

    tails: defaultdict[str, _Tail] = field(default_factory=lambda: defaultdict(_Tail))
    requests: dict[str, _Record] = field(default_factory=dict)
    responses: dict[str, _Record] = field(default_factory=dict)


class AzureLive:
    """Live figures of a workspace. Blobs are only added to, so each is read on from where it was left.

    ``grain_s`` is the step of the metrics: a minute, which is the shortest that Azure has. An emulator takes less.
    """

    def __init__(
        self, access: WorkspaceAccess, collection: Callable[[], tuple[str, str]], grain_s: int, now: Callable[[], float]
    ) -> None:
        self._access = access
        self._collection = collection
        self._grain_s = grain_s
        self._now = now
        self._pairs: defaultdict[tuple[str, str], _Pairs] = defaultdict(_Pairs)
        self._container: ContainerClient | None = None
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            base_url=access.manager,
            policies=[
                RetryPolicy(retry_total=3),
                BearerTokenCredentialPolicy(access.credential, f"{MANAGEMENT}/.default"),
            ],
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
        if self._container:
            self._container.close()

    def minutes(self, endpoint: str, since_s: float) -> Mapping[str, Sequence[Minute]]:
        """Return by slot what happened since then, in steps that began since."""
        return {slot: self._minutes(endpoint, slot, since_s) for slot in SLOTS}

    def collected(self, endpoint: str, slot: str, since_s: float, most: int) -> Sequence[Collected]:
        """Return the newest questions with their answers since then."""
        pairs = self._pairs[endpoint, slot]
        try:
            self._read_on(f"{_FOLDER}/{endpoint}/{slot}/request/", since_s, pairs.tails, pairs.requests)
            self._read_on(f"{_FOLDER}/{endpoint}/{slot}/response/", since_s, pairs.tails, pairs.responses)
        except AzureError as error:
            raise WorkspaceFailedError(f"What '{slot}' was asked cannot be read: {_line(error)}") from error
        both = [
            Collected(id_, asked.time.timestamp(), asked.data, answered.data)
            for id_, asked in pairs.requests.items()
            if (answered := pairs.responses.get(id_)) and asked.time.timestamp() >= since_s
            # What is too large for a line is in a blob of its own, and is not judged.
            if not asked.datainblob and not answered.datainblob
        ]
        return sorted(both, key=lambda each: -each.at_s)[:most]

    def _minutes(self, endpoint: str, slot: str, since_s: float) -> list[Minute]:
        requests = self._metrics(endpoint, slot, since_s, "RequestsPerMinute", f"{_STATUS} eq '*'")
        if requests is None:
            return []
        counts: dict[float, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for series in (each for metric in requests.value for each in metric.timeseries):
            status = next((each.value for each in series.metadatavalues if each.name.value == _STATUS), "0")
            for point in series.data:
                count = (point.average or 0.0) * self._grain_s / 60
                counts[point.timeStamp.timestamp()][0] += count
                counts[point.timeStamp.timestamp()][1] += count if not status.startswith(("2", "3")) else 0.0
        quantiles: dict[float, dict[int, float]] = defaultdict(dict)
        told = self._metrics(endpoint, slot, since_s, ",".join(_LATENCIES), None)
        for metric in told.value if told else ():
            for series in metric.timeseries:
                for point in series.data:
                    if point.average is not None:
                        quantiles[point.timeStamp.timestamp()][_LATENCIES[metric.name.value]] = point.average
        return [
            Minute(at_s, n, errors, quantiles[at_s])
            for at_s, (n, errors) in sorted(counts.items())
            if n and at_s >= since_s
        ]

    def _metrics(self, endpoint: str, slot: str, since_s: float, names: str, split: str | None) -> _Metrics | None:
        """Return metrics of a deployment; ``None`` if there is no such deployment."""
        resource = f"{self._access.resource}/onlineEndpoints/{endpoint}/deployments/{slot}"
        query = {
            "api-version": _VERSION,
            "metricnames": names,
            "aggregation": "average",
            "interval": f"PT{self._grain_s // 60}M" if self._grain_s % 60 == 0 else f"PT{self._grain_s}S",
            "timespan": f"{_iso(since_s)}/{_iso(max(self._now(), since_s) + 1)}",
            **({"$filter": split} if split else {}),
        }
        url = f"{self._access.manager}{resource}/providers/Microsoft.Insights/metrics"
        try:
            answer = self._client.send_request(HttpRequest("GET", url, params=query))
            if answer.status_code == 404:
                return None
            if answer.status_code != 200:
                raise WorkspaceFailedError(f"Azure Monitor answers {answer.status_code} for '{endpoint}/{slot}'.")
            return _Metrics.model_validate_json(answer.content)
        except AzureError as error:
            raise WorkspaceFailedError(f"Azure Monitor cannot be asked: {_line(error)}") from error
        except ValidationError as error:
            raise WorkspaceFailedError(
                f"Azure Monitor answers in another way than it should: {first_problem(error)}."
            ) from error

    def _read_on(self, prefix: str, since_s: float, tails: dict[str, _Tail], found: dict[str, _Record]) -> None:
        """Add the records below a folder that are new; those from before ``since_s`` are in folders of hours before."""
        container = self._container = self._container or self._open()
        oldest = datetime.fromtimestamp(since_s, UTC).strftime("%Y/%m/%d/%H")
        for blob in container.list_blobs(name_starts_with=prefix):
            tail = tails[blob.name]
            if not blob.name.endswith(".jsonl") or blob.name.removeprefix(prefix) < oldest or blob.size <= tail.offset:
                continue
            content = container.download_blob(blob.name, offset=tail.offset, length=blob.size - tail.offset).readall()
            tail.offset += len(content)
            lines = (tail.rest + content).split(b"\n")
            tail.rest = lines.pop()
            for line in lines:
                try:
                    record = _Record.model_validate_json(line)
                except ValidationError:
                    continue  # a line of somebody else, or of a format to come
                found[record.xrequestid] = record
        for id_ in list(found)[: max(0, len(found) - _KEPT)]:
            del found[id_]

    def _open(self) -> ContainerClient:
        account, container = self._collection()
        return ContainerClient(account, container, credential=self._access.credential)


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
