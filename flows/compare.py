"""``make compare``: runs the variants of a flow over its data, evaluates each, and prints the scores."""

import argparse
import json
import uuid
from pathlib import Path

import yaml
from promptflow.client import PFClient

FLOWS = Path(__file__).parent


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow", nargs="?", default="insight", choices=["insight", "answer"])
    parser.add_argument("--data", type=Path, help="JSON lines; the flow's own, if not given")
    options = parser.parse_args()
    folder, judges = FLOWS / options.flow, FLOWS / f"eval_{options.flow}"
    data = options.data or folder / "data.jsonl"
    columns = set(json.loads(data.read_text(encoding="utf-8").splitlines()[0]))
    client, label = PFClient(), uuid.uuid4().hex[:6]
    for node, variants in read(folder)["node_variants"].items():
        for variant in variants["variants"]:
            base = client.run(
                flow=folder,
                data=data,
                variant=f"${{{node}.{variant}}}",
                column_mapping=mapped(folder, columns),
                name=f"{options.flow}-{variant}-{label}",
            )
            scores = client.run(
                flow=judges,
                data=data,
                run=base,
                column_mapping=mapped(judges, columns),
                name=f"eval-{options.flow}-{variant}-{label}",
            )
            metrics = client.get_metrics(scores)
            print(f"{variant:<12}", "  ".join(f"{name} {value:.3f}" for name, value in metrics.items()), flush=True)


def read(folder: Path) -> dict:
    """Return a flow's graph."""
    return yaml.safe_load((folder / "flow.dag.yaml").read_text(encoding="utf-8"))


def mapped(folder: Path, columns: set[str]) -> dict[str, str]:
    """Return where each input of a flow comes from: a column of the data, or what the run before said."""
    return {
        name: f"${{data.{name}}}" if name in columns else f"${{run.outputs.{name}}}" for name in read(folder)["inputs"]
    }


if __name__ == "__main__":
    main()
