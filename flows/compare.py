"""``make compare``: runs the variants of a flow over its data, evaluates each, and prints the scores."""

import argparse
import uuid
from pathlib import Path

import yaml
from promptflow.client import PFClient

FLOWS = Path(__file__).parent


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow", nargs="?", default="insight")
    parser.add_argument("--data", type=Path, help="JSON lines; the flow's own, if not given")
    options = parser.parse_args()
    folder = FLOWS / options.flow
    data = options.data or folder / "data.jsonl"
    nodes = yaml.safe_load((folder / "flow.dag.yaml").read_text(encoding="utf-8"))["node_variants"]
    client, label = PFClient(), uuid.uuid4().hex[:6]
    for node, variants in nodes.items():
        for variant in variants["variants"]:
            base = client.run(
                flow=folder,
                data=data,
                variant=f"${{{node}.{variant}}}",
                column_mapping={"conversation": "${data.conversation}", "language": "${data.language}"},
                name=f"{options.flow}-{variant}-{label}",
            )
            scores = client.run(
                flow=FLOWS / f"eval_{options.flow}",
                data=data,
                run=base,
                column_mapping={
                    "conversation": "${data.conversation}",
                    "expected": "${data.expected}",
                    options.flow: f"${{run.outputs.{options.flow}}}",
                },
                name=f"eval-{options.flow}-{variant}-{label}",
            )
            metrics = client.get_metrics(scores)
            print(f"{variant:<12}", "  ".join(f"{name} {value:.3f}" for name, value in metrics.items()), flush=True)


if __name__ == "__main__":
    main()
