"""The same rules for Azure Monitor: what they search is what is written."""

import json
import re
from pathlib import Path

from dragoman.domain.tally import Cell
from dragoman.monitoring.azure_rules import searches, template
from dragoman.monitoring.monitor import Line, Monitor
from dragoman.monitoring.objectives import Counted
from dragoman.monitoring.recorder import News
from dragoman.monitoring.rules import read_rules
from dragoman.monitoring.signals import SIGNALS
from dragoman.store.alerts import AlertStore
from dragoman.store.database import open_database
from dragoman.store.windows import Windows

RULES = read_rules()


def told(tmp_path: Path) -> dict[str, Line]:
    """Return a line of every kind that a monitor writes."""
    lines: dict[str, Line] = {}
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    try:
        monitor = Monitor(
            Windows(engine),
            AlertStore(engine),
            RULES,
            lambda consumed: 0,
            lambda event, line: lines.update({event: line}),
        )
        tally = SIGNALS["confidence"].bins.tally(0.5)
        monitor.note(News({Cell("confidence", "en-US", "whisper"): tally}, {"availability": Counted(1, 2)}))
        monitor.judge({"acme": 0.9})
    finally:
        engine.dispose()
    return lines


def test_every_search_reads_what_is_written(tmp_path: Path) -> None:
    lines = told(tmp_path)
    for search in searches(RULES):
        (event,) = re.findall(r"line\.event\) == '([a-z.]+)'", search.query)
        fields = set(re.findall(r"line\.([a-z_]+)", search.query)) - {"event"}
        assert fields <= lines[event].keys(), search.name
    known = {each.name for each in RULES.objectives}
    named = {name for each in searches(RULES) for name in re.findall(r"line\.objective\) == '([a-z_]+)'", each.query)}
    assert named == known


def test_every_rule_is_a_search() -> None:
    names = [each.name for each in searches(RULES)]
    assert len(names) == len(set(names)) == len(RULES.objectives) * len(RULES.burns) + len(RULES.alerts) + 2
    found = {each.name: each for each in searches(RULES)}
    fast = found["burn-availability-1h"]
    assert (fast.window_s, fast.every_s, fast.severity) == (3_600, 300, 1)
    assert "ago(300s)" in fast.query
    assert "/ 0.005" in fast.query
    slow = found["burn-availability-48h"]  # of three days, what Azure Monitor can see
    assert (slow.window_s, slow.every_s) == (172_800, 3_600)
    assert "total / n < 0.3" in found["languages-unsure"].query


def test_the_template_is_one() -> None:
    made = json.loads(json.dumps(template(RULES)))
    for resource in made["resources"]:
        properties = resource["properties"]
        assert resource["type"] == "Microsoft.Insights/scheduledQueryRules"
        assert re.fullmatch(r"\[concat\(parameters\('prefix'\), '-[a-z0-9-]+'\)\]", resource["name"])
        assert re.fullmatch(r"PT\d+[MH]|P[12]D", properties["windowSize"])
        assert re.fullmatch(r"PT\d+[MH]", properties["evaluationFrequency"])
        assert 0 <= properties["severity"] <= 4
    used = set(re.findall(r"parameters\('(\w+)'\)", json.dumps(made["resources"])))
    assert used == made["parameters"].keys()
