"""``python -m training.whisper``: train the micro Whisper, or go on with it; then convert, evaluate and describe it."""

import argparse
import platform
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from training.speech.corpus import Corpus, seconds
from training.text.sentences import LANGUAGES, sentences
from training.text.words import sequences
from training.whisper.card import Making, card
from training.whisper.evaluate import RESULTS, evaluate
from training.whisper.export import export
from training.whisper.tokens import Tokens, train_tokens
from training.whisper.train import Plan, load_trained, train

NAME: Final = "whisper-micro"
MODELS: Final = Path("samples/models")


def main() -> None:
    """Make the tokenizer if there is none, train until the minutes are used up, and finish the model."""
    parser = argparse.ArgumentParser(prog="python -m training.whisper", description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/training/corpus"))
    parser.add_argument("--build", type=Path, default=Path("build/training/whisper"), help="delete it to begin anew")
    parser.add_argument("--minutes", type=float, default=95.0, help="processor time of each process, over all runs")
    parser.add_argument("--further", type=float, default=0.0, help="minutes of a second round after them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--per-language", type=int, default=40, help="clips per language and condition to evaluate on")
    parser.add_argument("--remark", default="", help="what else the model card should say of this run")
    parser.add_argument("--install", action="store_true", help=f"install the model in {MODELS}, and its figures")
    options = parser.parse_args()
    plan = Plan(
        options.corpus, options.build, options.minutes, options.further, seed=options.seed, processes=options.processes
    )
    plan.results.mkdir(parents=True, exist_ok=True)
    if not (tokenizer := plan.corpus / "tokenizer.json").exists():
        train_tokens(_texts(plan.seed)).tokenizer.save(str(tokenizer))
    train(plan)
    folder = plan.results / NAME
    export(load_trained(plan.checkpoint).model, Tokens.load(tokenizer), folder)
    results = plan.results / f"{NAME}.json"
    evaluate(folder, results, options.per_language)
    making = _making(plan, folder, options.remark)
    (folder / "README.md").write_text(card(making, results, RESULTS / "whisper-baseline.json"))
    if options.install:
        shutil.copytree(folder, MODELS / NAME, dirs_exist_ok=True)
        shutil.copy(results, RESULTS)


def _making(plan: Plan, folder: Path, remark: str) -> Making:
    trained = load_trained(plan.checkpoint)
    corpus = Corpus(plan.corpus / "speech")
    return Making(
        command=f"python -m training.speech && python -m training.whisper --minutes {plan.minutes:g}"
        + (f" --further {plan.further:g}" if plan.further else ""),
        seed=plan.seed,
        steps=trained.steps,
        minutes=trained.minutes,
        utterances=len(corpus.utterances),
        hours=seconds(corpus) / 3600,
        parameters=sum(each.numel() for each in trained.model.parameters()),
        bytes=sum(file.stat().st_size for file in folder.iterdir()),
        machine=platform.machine(),
        remark=f"\n{remark}\n" if remark else "",
    )


def _texts(seed: int) -> Iterator[str]:
    """Yield what the tokenizer learns its pieces from: as many sentences as free words, with the space before them."""
    for sentence in islice(sentences(seed, "train"), 8_000):
        yield from (" " + sentence.text(language) for language in LANGUAGES)
    for language in LANGUAGES:
        for words in islice(sequences(language, seed), 10_000):
            yield " " + " ".join(word.written for word in words)


if __name__ == "__main__":
    main()
