"""Data collection: what an endpoint was asked and answered, as lines of JSON in the workspace's default datastore.

Source of path and records: "Collect production data from models deployed for real-time inferencing",
learn.microsoft.com, 2026.

Collections are ``request`` and ``response``; others are written by the model's own code, which is not done here.
"""

import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from dragoman.emulator.azureml.arm import name_of, properties_of
from dragoman.emulator.azureml.blobs import Blobs
from dragoman.emulator.azureml.cloud import container_of
from dragoman.emulator.azureml.state import Json, State

if TYPE_CHECKING:
    from pydantic import JsonValue

_ROLLING: Final = {
    "year": "%Y",
    "month": "%Y/%m",
    "day": "%Y/%m/%d",
    "hour": "%Y/%m/%d/%H",
    "minute": "%Y/%m/%d/%H/%M",
}
_LARGEST: Final = 4 << 20
"""A longer payload is a blob of its own, and the record says where."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked."""

    request_id: str
    path: str
    method: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Collector:
    """Writes records; ``chance`` decides who is sampled."""

    state: State
    blobs: Blobs
    chance: random.Random = field(default_factory=random.Random)

    def collect(
        self, deployment: Json, instance: str, asked: Exchange, answer: bytes, headers: Mapping[str, str] | None
    ) -> None:
        """Write what a deployment is to collect; ``headers`` of the answer are ``None`` if the model gave none."""
        told = properties_of(deployment).get("dataCollector")
        if not isinstance(told, dict):
            return
        now, drawn = datetime.now(UTC), self.chance.random()
        logging = told.get("requestLogging")
        captured = cast("list[str]", logging.get("captureHeaders") or []) if isinstance(logging, dict) else []
        for name, sent, body in (("request", asked.headers, asked.body), ("response", headers, answer)):
            collection = cast("dict[str, Json]", told.get("collections") or {}).get(name)
            if collection is None or sent is None or collection.get("dataCollectionMode") != "Enabled":
                continue
            rate = collection.get("samplingRate")
            if drawn >= (float(cast("float", rate)) if rate is not None else 1.0):
                continue
            rolling = now.strftime(_ROLLING[str(told.get("rollingRate") or "Hour").lower()])
            place = f"{self._folder(deployment, name, collection)}/{rolling}"
            record: Json = {
                "specversion": "1.0",
                "id": str(uuid.uuid4()),
                "source": str(deployment["id"]),
                "type": f"azureml.inference.{name}",
                "datacontenttype": sent.get("content-type", "application/octet-stream").partition(";")[0],
                "time": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "correlationid": asked.headers.get("x-ms-client-request-id", asked.request_id),
                "xrequestid": asked.request_id,
                "contentrange": f"bytes 0-{max(0, len(body) - 1)}/{len(body)}",
            }
            if name == "request":
                record |= {"path": f"/{asked.path}", "method": asked.method}
            if kept := {each: sent[each.lower()] for each in captured if each.lower() in sent}:
                record["headers"] = cast("JsonValue", kept)
            container = container_of("/".join(str(deployment["id"]).split("/")[:9]))
            self.blobs.create_container(container)
            record |= self._data(container, place, str(record["id"]), str(record["datacontenttype"]), body)
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            self.blobs.append(container, f"{place}/{instance}.jsonl", line)

    def _folder(self, deployment: Json, name: str, collection: Json) -> str:
        """Return the folder of a collection: that of its data asset, if it has one."""
        asset = self.state.get(str(collection.get("dataId") or ""))
        uri = str(properties_of(asset).get("dataUri", "")) if asset else ""
        if "/paths/" in uri:
            return uri.partition("/paths/")[2].strip("/")
        parts = str(deployment["id"]).split("/")
        return f"modelDataCollector/{parts[-3]}/{name_of(str(deployment['id']))}/{name}"

    def _data(self, container: str, place: str, id: str, kind: str, body: bytes) -> Json:  # noqa: A002
        """Return the payload: as JSON, as text, or as the name of a blob."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = None
        if text is None or len(body) > _LARGEST:
            self.blobs.put(container, f"{place}/{id}", body, kind, {})
            return {"data": f"{container}/{place}/{id}", "datainblob": "true"}
        if kind.endswith("json"):
            try:
                return {"data": json.loads(text)}
            except ValueError:
                pass
        return {"data": text}
