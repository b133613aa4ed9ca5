"""``python -m training.whisper``: train the micro Whisper, or go on with it."""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from training.text.sentences import LANGUAGES, sentences
from training.text.words import sequences
from training.whisper.tokens import train_tokens
from training.whisper.train import Plan, train


def main() -> None:
    """Make the tokenizer if there is none, then train until the minutes are used up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/training/corpus"))
    parser.add_argument("--results", type=Path, default=Path("build/training/whisper"))
    parser.add_argument("--minutes", type=float, default=90.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    plan = Plan(arguments.corpus, arguments.results, arguments.minutes, arguments.seed, arguments.processes)
    plan.results.mkdir(parents=True, exist_ok=True)
    if not (tokenizer := plan.corpus / "tokenizer.json").exists():
        tokens = train_tokens(_texts(plan.seed))
        tokens.tokenizer.save(str(tokenizer))
    train(plan)


def _texts(seed: int) -> Iterator[str]:
    """Yield what the tokenizer learns its pieces from: as many sentences as free words, with the space before them."""
    for sentence in islice(sentences(seed, "train"), 8_000):
        yield from (" " + sentence.text(language) for language in LANGUAGES)
    for language in LANGUAGES:
        for words in islice(sequences(language, seed), 10_000):
            yield " " + " ".join(word.written for word in words)


if __name__ == "__main__":
    main()
