"""``python -m training.speech``: make the corpus, or what is missing of it."""

import argparse
from pathlib import Path

from training.speech.background import load_background
from training.speech.corpus import build


def main() -> None:
    """Make shards of spoken sentences and the background noises."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/training/corpus"))
    parser.add_argument("--utterances", type=int, default=100_000)
    parser.add_argument("--made-up", type=int, default=20_000, help="utterances more, by voices that nobody has")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    load_background(arguments.folder / "background.npy", arguments.seed)
    build(arguments.folder / "speech", arguments.utterances, arguments.made_up, arguments.seed, arguments.processes)


if __name__ == "__main__":
    main()
