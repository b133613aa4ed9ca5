"""What the emulator remembers: resources by their ARM id, and requests that were answered. SQLite in a folder."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

Json = dict[str, JsonValue]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS resources (key TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS samples (
    at REAL NOT NULL, endpoint TEXT NOT NULL, deployment TEXT NOT NULL, status INTEGER NOT NULL,
    model_status INTEGER NOT NULL, latency_ms REAL NOT NULL, mirrored INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS samples_by_time ON samples (endpoint, at);
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request that an endpoint answered, or whose copy a deployment did.

    ``at`` is when the answer was complete, in seconds since 1970; ``endpoint`` is an ARM id in lower case.
    ``model_status`` is 0 if no model was asked.
    """

    at: float
    endpoint: str
    deployment: str
    status: int
    model_status: int
    latency_ms: float
    mirrored: bool


class State:
    """Resources and samples; every change is on disk when the call returns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(folder / "azureml.db", check_same_thread=False, isolation_level=None)
        # A crash of the process loses nothing; one of the machine may lose the last moments, which is enough here.
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def get(self, id: str) -> Json | None:  # noqa: A002 - ARM's word
        """Return a resource; ids are compared without regard to case."""
        found = self._rows("SELECT body FROM resources WHERE key = ?", id.lower())
        return json.loads(found[0][0]) if found else None

    def put(self, id: str, body: Json) -> None:  # noqa: A002
        """Keep a resource, in place of what was there."""
        self._rows("INSERT OR REPLACE INTO resources VALUES (?, ?)", id.lower(), json.dumps(body))

    def delete(self, id: str) -> None:  # noqa: A002
        """Forget a resource, and what is below it."""
        low = id.lower()
        self._rows("DELETE FROM resources WHERE key = ? OR substr(key, 1, ?) = ?", low, len(low) + 1, f"{low}/")

    def children(self, collection: str) -> list[Json]:
        """Return the resources right below ``…/models``, in the order of their first appearance."""
        prefix = collection.lower() + "/"
        rows = self._rows(
            "SELECT key, body FROM resources WHERE substr(key, 1, ?) = ? ORDER BY rowid", len(prefix), prefix
        )
        return [json.loads(body) for key, body in rows if "/" not in key[len(prefix) :]]

    def find(self, ending: str) -> Json | None:
        """Return the first resource whose id ends so."""
        found = self._rows(
            "SELECT body FROM resources WHERE substr(key, -?) = ? ORDER BY rowid LIMIT 1", len(ending), ending.lower()
        )
        return json.loads(found[0][0]) if found else None

    def ids(self) -> list[str]:
        """Return the ids of everything, in lower case."""
        return [key for (key,) in self._rows("SELECT key FROM resources ORDER BY rowid")]

    def record(self, sample: Sample) -> None:
        """Keep a sample."""
        self._rows("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?)", *astuple(sample))

    def samples(self, endpoint: str, start: float, end: float) -> Iterator[Sample]:
        """Yield what an endpoint answered in ``[start, end)``, in order."""
        for row in self._rows(
            "SELECT * FROM samples WHERE endpoint = ? AND at >= ? AND at < ? ORDER BY at", endpoint.lower(), start, end
        ):
            at, name, deployment, status, model_status, latency_ms, mirrored = row
            yield Sample(
                float(at),
                name,
                deployment,
                int(status),
                int(model_status),
                float(latency_ms),
                mirrored=bool(mirrored),
            )

    def _rows(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()
