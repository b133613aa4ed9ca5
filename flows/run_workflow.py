"""``run_workflow.py FLOW < data.jsonl``: runs a flow in Agent Framework over lines of JSON, and prints its outputs."""

import asyncio
import importlib
import json
import sys
from pathlib import Path


async def main(flow: str) -> None:
    """Run it for every line."""
    sys.path.insert(0, str(Path(__file__).parent / flow))
    workflow = importlib.import_module(f"{flow}_workflow")
    for line in sys.stdin:
        result = await workflow.build().run(json.loads(line))
        print(json.dumps(result.get_outputs()[0], ensure_ascii=False), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
