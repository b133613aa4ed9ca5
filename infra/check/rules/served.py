"""How the app is served: its door, its probes, its revisions, and how it grows."""

import re
from collections.abc import Iterator
from typing import Final, cast

from dragoman.store.postgres import MOST_CONNECTIONS
from infra.check.bicep.deployment import Resource, Value
from infra.check.container import container
from infra.check.problem import Deployment, Problem, at

_CONNECTIONS: Final = {"Standard_B1ms": 35, "Standard_B2s": 414, "Standard_D2ds_v5": 844, "Standard_D4ds_v5": 1_703}
"""For users, by size. Source: learn.microsoft.com, "Limits in Azure Database for PostgreSQL", read 2026-11."""

_MOST_REPLICAS: Final = 1_000
_GIB_PER_CPU: Final = 2.0


def served(deployment: Deployment) -> Iterator[Problem]:
    """Find what would keep callers from the service, or it from growing."""
    made = container(deployment.template)
    app, port = made.app, _port(deployment)
    ingress = cast("dict[str, Value]", app.get("properties", "configuration", "ingress") or {})
    if ingress.get("targetPort") != port:
        yield at(app, "port", f"calls go to {ingress.get('targetPort')}, and the image listens on {port}")
    if ingress.get("transport") not in ("auto", "http"):
        yield at(app, "websocket", f"WebSockets begin with HTTP/1.1, not {ingress.get('transport')}")
    if ingress.get("allowInsecure") is not False:
        yield at(app, "insecure", "calls without TLS would be taken")
    if ingress.get("external") is not True:
        yield at(app, "insecure", "nobody outside of its network reaches it")
    yield from _revisions(app, ingress)
    yield from _probes(deployment, app, port)
    yield from _growth(deployment, app)


def _port(deployment: Deployment) -> int:
    """Return the port of the last stage of the image."""
    text = (deployment.project / "service" / "Dockerfile").read_text(encoding="utf-8")
    return int(re.findall(r"^EXPOSE (\d+)$", text, re.MULTILINE)[-1])


def _revisions(app: Resource, ingress: dict[str, Value]) -> Iterator[Problem]:
    mode = app.get("properties", "configuration", "activeRevisionsMode")
    affinity = ingress.get("stickySessions")
    if mode != "Multiple":
        yield at(app, "revisions", "a new revision would take all traffic before it was tried")
    if isinstance(affinity, dict) and affinity.get("affinity") == "sticky" and mode == "Multiple":
        yield at(app, "sticky", "session affinity works with a single revision only")
    traffic = [each for each in cast("list[Value]", ingress.get("traffic") or []) if isinstance(each, dict)]
    if sum(each["weight"] for each in traffic if isinstance(each.get("weight"), int)) != 100:  # type: ignore[misc]
        yield at(app, "traffic", "weights of traffic add up to 100")
    if not any(each.get("label") == "live" for each in traffic):
        yield at(app, "traffic", "no revision is labelled 'live'")


def _probes(deployment: Deployment, app: Resource, port: int) -> Iterator[Problem]:
    containers = cast("list[dict[str, Value]]", app.get("properties", "template", "containers"))
    probes = cast("list[dict[str, Value]]", containers[0].get("probes") or [])
    doors = (deployment.project / "service" / "dragoman" / "api" / "app.py").read_text(encoding="utf-8")
    if {each.get("type") for each in probes} != {"Startup", "Liveness", "Readiness"}:
        yield at(app, "probes", "it is asked whether it has started, lives and is ready")
    for probe in probes:
        asked = cast("dict[str, Value]", probe.get("httpGet") or {})
        if f'@app.get("{asked.get("path")}"' not in doors:
            yield at(app, "probes", f"the service answers nothing at {asked.get('path')}")
        if asked.get("port") != port:
            yield at(app, "probes", f"the image listens on {port}, not {asked.get('port')}")
        if probe.get("type") == "Liveness" and asked.get("path") != "/healthz":
            yield at(app, "probes", "a server that is full or waits for its database is not dead: ask /healthz")


def _growth(deployment: Deployment, app: Resource) -> Iterator[Problem]:
    scale = cast("dict[str, Value]", app.get("properties", "template", "scale") or {})
    least, most = scale.get("minReplicas"), scale.get("maxReplicas")
    if not isinstance(least, int) or not isinstance(most, int) or not 1 <= least <= most <= _MOST_REPLICAS:
        yield at(app, "replicas", f"from {least} to {most} replicas: one always hears what dead ones left behind")
        return
    rules = [each for each in cast("list[Value]", scale.get("rules") or []) if isinstance(each, dict)]
    asked = [each["http"] for each in rules if isinstance(each.get("http"), dict)]
    streams = container(deployment.template).variables.get("DRAGOMAN_MAX_SESSIONS", "0")
    counts = [str(cast("dict[str, dict[str, Value]]", each)["metadata"].get("concurrentRequests")) for each in asked]
    if not counts:
        yield at(app, "scale", "no rule counts its streams")
    elif not 0 < int(counts[0]) < int(streams):
        yield at(app, "scale", f"replicas come at {counts[0]} streams, and one is full at {streams}")
    for database in deployment.of_type("Microsoft.DBforPostgreSQL/flexibleServers"):
        size, wanted = str(database.get("sku", "name")), most * MOST_CONNECTIONS
        if _CONNECTIONS.get(size, 0) < wanted:
            yield at(database, "connections", f"{most} replicas want {wanted} connections, {size} has fewer")
    containers = cast("list[dict[str, dict[str, Value]]]", app.get("properties", "template", "containers"))
    cpu, memory = containers[0]["resources"]["cpu"], str(containers[0]["resources"]["memory"])
    if not isinstance(cpu, float) or memory.removesuffix("Gi") not in (
        f"{cpu * _GIB_PER_CPU:g}",
        str(cpu * _GIB_PER_CPU),
    ):
        yield at(app, "size", f"{cpu} CPUs come with {_GIB_PER_CPU:g} GiB each, not {memory}")
