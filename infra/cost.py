"""``python -m infra.cost``: what a month of an environment costs, from the templates, prices and assumptions."""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from infra.check.bicep.deployment import Value
from infra.check.problem import Deployment
from infra.check.templates import work_out

PROJECT: Final = Path(__file__).parents[1]
_HOURS, _SECONDS = 730, 730 * 3_600

CHARACTERS_PER_HOUR: Final = 50_000
"""Of speech, in one language: 150 words a minute. Assumed."""
TOKENS_PER_HOUR: Final = (60_000, 4_000)
"""Prompts and answers of insight, for an hour of speech. Assumed."""
LOGS_GB_PER_HOUR: Final = 0.002
"""Traces and lines of an hour of speech. Assumed."""
BUSY: Final = 0.3
"""Share of the replicas between the fewest and the most that run in the mean. Assumed."""

Prices = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Line:
    """One line of the estimate."""

    what: str
    usd: float


def estimate(deployment: Deployment, speech_hours: float, prices: Prices, services: dict[str, float]) -> list[Line]:
    """Return what a month costs in which so many hours of speech are heard, each translated into one language."""
    hour, month, second = prices["per_hour"], prices["per_month"], prices["per_second"]
    size = cast("dict[str, Value]", deployment.template.symbol("size"))
    least, most = _number(size["leastReplicas"]), _number(size["mostReplicas"])
    replicas = least + BUSY * (most - least)
    cpu, gib = float(str(size["cpu"])), float(str(size["memory"]).removesuffix("Gi"))
    (database,) = deployment.of_type("Microsoft.DBforPostgreSQL/flexibleServers")
    copies = 2 if database.get("properties", "highAvailability", "mode") == "ZoneRedundant" else 1
    database_usd = hour[str(size["databaseSku"])] * _HOURS + month["database_gb"] * _number(size["databaseGb"])
    (registry,) = deployment.of_type("Microsoft.ContainerRegistry/registries")
    endpoints = len(deployment.of_type("Microsoft.Network/privateEndpoints"))
    zones = len(deployment.of_type("Microsoft.Network/privateDnsZones"))
    tokens = zip(TOKENS_PER_HOUR, ("prompt_usd_per_million_tokens", "completion_usd_per_million_tokens"), strict=True)
    speech = services["speech_usd_per_hour"] + services["language_identification_usd_per_hour"]
    per_replica = _SECONDS * (cpu * second["cpu"] + gib * second["gib"])
    network_usd = endpoints * hour["private_endpoint"] * _HOURS + zones * month["dns_zone"]
    characters_usd = CHARACTERS_PER_HOUR / 1e6 * services["translation_usd_per_million_characters"]
    tokens_usd = sum(count / 1e6 * services[price] for count, price in tokens)
    return [
        Line(f"containers, {replicas:g} replicas in the mean", replicas * per_replica),
        Line(f"PostgreSQL, {size['databaseSku']}" + (", twice" if copies > 1 else ""), copies * database_usd),
        Line("registry", month[str(registry.get("sku", "name"))]),
        Line(f"private network, {endpoints} endpoints", network_usd),
        Line("logs and traces", speech_hours * LOGS_GB_PER_HOUR * month["logs_gb"]),
        Line(f"speech, {speech_hours:,.0f} h with language identification", speech_hours * speech),
        Line("translation into one language", speech_hours * characters_usd),
        Line("insight", speech_hours * tokens_usd),
    ]


def table(lines: list[Line]) -> str:
    """Return an estimate in Markdown, in whole dollars."""
    rows = [f"| {line.what} | {line.usd:,.0f} |" for line in lines]
    total = sum(line.usd for line in lines)
    return "\n".join(["| | USD a month |", "|---|---:|", *rows, f"| **all of it** | **{total:,.0f}** |"])


def report(hours: dict[str, float]) -> str:
    """Return the estimates of environments, by the name of their file of parameters."""
    prices = tomllib.loads((PROJECT / "infra" / "prices.toml").read_text(encoding="utf-8"))
    listed = PROJECT / "service" / "dragoman" / "evaluation" / "prices.toml"
    services = tomllib.loads(listed.read_text(encoding="utf-8"))
    deployments, problems = work_out(PROJECT / "infra", PROJECT)
    assert not problems, problems
    found = {each.parameters.stem: each for each in deployments}
    return "\n\n".join(
        f"`{name}`:\n\n{table(estimate(found[name], of, prices, services))}" for name, of in hours.items()
    )


def _number(value: Value) -> int:
    assert isinstance(value, int)
    return value


USUAL: Final = {"main": 100.0, "production": 2_000.0}
"""Hours of speech in a month that the README reckons with."""

if __name__ == "__main__":
    given = dict(each.split("=") for each in sys.argv[1:])
    sys.stdout.write(report({name: float(of) for name, of in given.items()} or USUAL) + "\n")
