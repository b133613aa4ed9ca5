"""``dragoman monitor``: how good the service is while it works, what drifts, what is promised, and what is spent."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman.cli.keys import DATA, ledgers

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dragoman.storage import Figures, Ledgers
    from dragoman.store.budgets import Account

TENANT = click.option("--tenant", help="Of this tenant only; of all, if not given.")
FORM = click.option(
    "--format", "-f", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How."
)


@click.group()
def monitor() -> None:
    """Show live quality, drift, objectives, alerts and budgets of the servers of a database."""


@monitor.command()
@click.option("--hours", type=click.IntRange(1, 744), default=24, show_default=True, help="Of the last so many hours.")
@TENANT
@FORM
@DATA
def status(hours: int, tenant: str | None, form: str, data: Path | None) -> None:
    """Show every figure, and the alerts that fire."""
    from dragoman.monitoring.view import overview

    _, figures = _opened(data)
    found = overview(figures.monitor, figures.budgets.accounts(), tenant, hours, time.time_ns() // 1_000_000)
    if form == "json":
        _print_json(found)
        return
    rows = [
        (each["title"], each["locale"], each["engine"], each["n"], each["mean"], each["p50"], each["p95"], each["unit"])
        for each in _listed(found["signals"])
    ]
    _table(("figure", "language", "engine", "n", "mean", "p50", "p95", "unit"), rows)
    for alert in _listed(found["alerts"]):
        if alert["state"] == "fired":
            click.secho(f"Alert (severity {alert['severity']}): {alert['message']}", fg="red")


@monitor.command()
@TENANT
@FORM
@DATA
def drift(tenant: str | None, form: str, data: Path | None) -> None:
    """Compare the last whole day (UTC) with those before it."""
    from dragoman.monitoring.days import days_of
    from dragoman.monitoring.view import drift_document

    _, figures = _opened(data)
    days = days_of(figures.monitor.rules.drift, time.time_ns() // 1_000_000)
    found = drift_document(figures.monitor, days, figures.monitor.drift(days, tenant))
    if form == "json":
        _print_json(found)
        return
    click.echo(f"{found['day']} beside {found['since']} to {found['until']}")
    rows = [
        tuple(each[name] for name in ("title", "locale", "engine", "outcome", "test", "distance", "usual", "p", "n"))
        for each in _listed(found["findings"])
    ]
    _table(("figure", "language", "engine", "outcome", "test", "distance", "usual", "p", "n"), rows)


@monitor.command()
@TENANT
@FORM
@DATA
def slo(tenant: str | None, form: str, data: Path | None) -> None:
    """Show what is promised, what is left of the error budgets, and how fast they burn."""
    from dragoman.monitoring.view import objective_document

    _, figures = _opened(data)
    found = [objective_document(each) for each in figures.monitor.statuses(tenant)]
    if form == "json":
        click.echo(json.dumps(found, indent=2))
        return
    rows = [
        (each["title"], each["goal"], each["attained"], each["total"], each["budget_left"], _burning(each))
        for each in found
    ]
    _table(("objective", "goal", "attained", "of", "budget left", "burns"), rows)


@monitor.command()
@FORM
@DATA
def budgets(form: str, data: Path | None) -> None:
    """Show what tenants have spent this month (UTC), reserved, and may spend."""
    _, figures = _opened(data)
    found = figures.budgets.accounts()
    if form == "json":
        from dragoman.monitoring.view import account_document

        click.echo(json.dumps([account_document(each) for each in found], indent=2))
        return
    _table(
        ("tenant", "spent, USD", "reserved", "budget", "audio, min", "characters", "tokens"),
        [_account(each) for each in found],
    )


@monitor.command()
@click.argument("tenant")
@click.option("--usd", type=click.FloatRange(0), help="What it may spend in a month, in US dollars.")
@click.option("--none", "without", is_flag=True, help="It may spend what it likes.")
@DATA
def budget(tenant: str, usd: float | None, without: bool, data: Path | None) -> None:
    """Set what TENANT may spend in a month (UTC); it holds at once, on all servers."""
    if (usd is None) != without:
        raise click.UsageError("Give either --usd AMOUNT or --none.")
    from dragoman.monitoring.costs import MICRO

    opened, figures = _opened(data)
    figures.budgets.limit(tenant, None if usd is None else round(usd * MICRO))
    told = "none" if usd is None else f"{usd:.2f}"
    opened.audit.add(tenant, "command line", "budget.set", tenant, {"usd_per_month": told})
    click.secho(f"The budget of {tenant} is {told if usd is None else f'{told} US dollars a month'}.", err=True)


@monitor.command()
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["toml", "kql", "arm"]),
    default="toml",
    show_default=True,
    help="toml as it is read, kql as searches, arm as a template of Azure Monitor's rules.",
)
def rules(form: str) -> None:
    """Print the rules of what is promised, watched and told (DRAGOMAN_MONITORING, or those that ship)."""
    from dragoman.monitoring.azure_rules import searches, template
    from dragoman.monitoring.rules import DEFAULT_FILE, read_rules
    from dragoman.settings import read_settings

    file = read_settings().monitoring
    read = read_rules(file)
    if form == "toml":
        click.echo((file or DEFAULT_FILE).read_text(encoding="utf-8"), nl=False)
    elif form == "kql":
        for each in searches(read):
            click.echo(f"// {each.name}: {each.title}\n{each.query}\n")
    else:
        click.echo(json.dumps(template(read), indent=2))


def _opened(data: Path | None) -> "tuple[Ledgers, Figures]":
    opened = ledgers(data)
    from dragoman.settings import read_settings
    from dragoman.storage import open_figures

    return opened, open_figures(read_settings(data=data), opened.engine)


def _account(account: "Account") -> tuple[object, ...]:
    from dragoman.domain.audio import SAMPLE_RATE_HZ
    from dragoman.monitoring.costs import MICRO

    consumed = account.consumed
    return (
        account.tenant,
        f"{account.spent_micro / MICRO:.4f}",
        f"{account.reserved_micro / MICRO:.4f}",
        "" if account.limit_micro is None else f"{account.limit_micro / MICRO:.2f}",
        f"{consumed.samples / SAMPLE_RATE_HZ / 60:.1f}",
        consumed.characters,
        consumed.prompt_tokens + consumed.completion_tokens,
    )


def _burning(objective: "dict[str, JsonValue]") -> str:
    burning = [each for each in _listed(objective["burns"]) if each["is_burning"]]
    return ", ".join(f"{each['long']}x over {int(str(each['long_s'])) // 3_600} h" for each in burning)


def _listed(value: "JsonValue") -> "list[dict[str, JsonValue]]":
    assert isinstance(value, list)
    return [each for each in value if isinstance(each, dict)]


def _print_json(found: "dict[str, JsonValue]") -> None:
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


def _table(head: Sequence[str], found: Sequence[Sequence[object]]) -> None:
    if not found:
        click.echo("Nothing was counted yet.")
        return
    rows = [tuple(head), *(tuple(_cell(each) for each in row) for row in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
