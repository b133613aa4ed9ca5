"""``python -m bench.gate``: how often the gate stops a candidate in which nothing has changed.

Every stage is evaluated afresh again and again, on what ships, and judged against the committed baseline.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from bench.machine import ONE_THREAD, describe, load_average

RESULTS: Final = Path(__file__).parent / "results"
STAGES: Final = ("speech", "translation", "insight", "answer", "polish", "orders")


def main() -> None:
    """Measure, and write ``results/gate.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reruns", type=int, default=100)
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    options = parser.parse_args()
    began = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "load before": load_average(), **describe()}
    file = RESULTS / "gate.json"
    stages = json.loads(file.read_text(encoding="utf-8"))["stages"] if file.exists() else {}
    stages |= {stage: rerun(stage, options.reruns) for stage in options.stages}
    found = {"machine": began, "load after": load_average(), "stages": stages}
    file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def rerun(stage: str, reruns: int) -> dict[str, object]:
    """Return how many reruns passed, why others did not, and how figures that a clock touches differ between them."""
    from dragoman.evaluating.evaluation import Wanted, default_dataset, evaluate, judge_by_rules
    from dragoman.settings import Settings

    dataset = default_dataset(stage)
    reasons: Counter[str] = Counter()
    passed, spread, took_s = 0, dict[str, list[float]](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(reruns):
            clock_s = time.perf_counter()
            report = asyncio.run(evaluate(Settings(), dataset, Wanted(stage, Path(folder), afresh=True)))
            took_s.append(time.perf_counter() - clock_s)
            verdict = judge_by_rules(report)
            passed += verdict.is_passed
            reasons.update(reason.partition(":")[0] for reason in verdict.reasons)
            for name, figure in report.metrics.items():
                spread.setdefault(name, []).append(figure.value or 0.0)
            print(stage, number + 1, "passed" if verdict.is_passed else verdict.reasons, flush=True)
    differing = {name: [min(values), max(values)] for name, values in spread.items() if min(values) != max(values)}
    return {
        "reruns": reruns,
        "passed": passed,
        "stopped by": dict(reasons),
        "median_s": round(sorted(took_s)[len(took_s) // 2], 2),
        "between": differing,
    }


if __name__ == "__main__":
    import os

    os.environ |= ONE_THREAD
    main()
