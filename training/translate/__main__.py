"""``python -m training.translate``: train the text translator, write its folder, measure it and describe it."""

import argparse
import json
import os
import platform
import shutil
import time
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer

from training.text.sentences import LANGUAGES, load_patterns, sentences
from training.translate.batches import batches
from training.translate.card import card, directions_table, means_table
from training.translate.evaluate import evaluate, trials
from training.translate.examples import clean_examples, spoken_examples, texts_to_cut
from training.translate.folder import write_folder
from training.translate.learner import Learner, rate
from training.translate.tokenizer import train_tokenizer
from training.translate.transformer import Shape

NAME: Final = "translate-micro"
BUILD: Final = Path("build/training/translate")
RESULTS: Final = Path("training/results")
MODELS: Final = Path("samples/models")

PIECES: Final = 2_048
TOKENIZER_TEXTS: Final = 200_000
BATCH_TOKENS: Final = 3_072
SAVE_S: Final = 60.0
HELD_OUT: Final = 200
TRIED: Final = 150


def main() -> None:
    """Run the steps that are still to do; training goes on where an earlier run stopped."""
    parser = argparse.ArgumentParser(prog="python -m training.translate", description="Make translate-micro.")
    parser.add_argument("--seconds", type=int, default=900, help="processor time to train, over all runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=Path, default=BUILD, help="checkpoint and model; delete it to begin anew")
    parser.add_argument("--install", action="store_true", help=f"copy the model to {MODELS}, its figures to {RESULTS}")
    options = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    options.build.mkdir(parents=True, exist_ok=True)

    tokenizer = _tokenizer(options.build / "tokenizer.json", options.seed)
    learner = Learner(Shape(tokenizer.get_vocab_size()), options.seed)
    _train(learner, tokenizer, options.build / "checkpoint.pt", options.seconds, options.seed)

    folder, results = options.build / NAME, options.build / f"{NAME}.json"
    write_folder(folder, learner.weights, learner.shape, tokenizer, LANGUAGES)
    _measure(learner, folder, results, options.seconds, options.seed)
    if options.install:
        shutil.copytree(folder, MODELS / NAME, dirs_exist_ok=True)
        RESULTS.mkdir(exist_ok=True)
        shutil.copy(results, RESULTS)


def _tokenizer(path: Path, seed: int) -> Tokenizer:
    if not path.exists():
        texts = islice(texts_to_cut(sentences(seed, "train"), seed), TOKENIZER_TEXTS)
        train_tokenizer(texts, LANGUAGES, PIECES).save(str(path))
    return Tokenizer.from_file(str(path))


def _train(learner: Learner, tokenizer: Tokenizer, checkpoint: Path, seconds: int, seed: int) -> None:
    """Learn until ``seconds`` are used up, and leave a checkpoint every minute."""
    if checkpoint.exists():
        learner.load(checkpoint)
    held_out = {
        split: list(batches(islice(clean_examples(sentences(seed, split)), HELD_OUT), tokenizer, BATCH_TOKENS, seed))
        for split in ("combination", "pattern")
    }
    lesson_seed = seed + learner.steps  # other sentences than before the interruption
    lessons = batches(
        spoken_examples(sentences(lesson_seed, "train"), lesson_seed), tokenizer, BATCH_TOKENS, lesson_seed
    )
    earlier_s, began_s = learner.seconds, time.process_time()  # so that a busy machine trains no less
    due_s = learner.seconds + SAVE_S
    while learner.seconds < seconds:
        loss = learner.learn(next(lessons), rate(learner.seconds / seconds))
        learner.seconds = earlier_s + time.process_time() - began_s
        if learner.seconds >= min(due_s, seconds):
            due_s += SAVE_S
            learner.save(checkpoint)
            heard = ", ".join(f"{split} {learner.loss(chosen):.3f}" for split, chosen in held_out.items())
            print(f"{learner.seconds:5.0f} s, {learner.steps} steps: loss {loss:.3f}; held out: {heard}", flush=True)


def _measure(learner: Learner, folder: Path, path: Path, seconds: int, seed: int) -> None:
    """Write the figures to ``path`` and the model card into the folder, and print both tables."""
    figures = list(evaluate(folder, trials(TRIED, seed), beams=(1, 2)))
    training: dict[str, str | int] = {
        "command": f"python -m training.translate --seconds {seconds} --seed {seed}",
        "seed": seed,
        "seconds": round(learner.seconds),
        "steps": learner.steps,
        "tokens": learner.tokens,
        "machine": f"one {platform.machine()} core, torch {torch.__version__}",
    }
    weights = sum(weight.numel() for weight in learner.weights.values())
    size = sum(file.stat().st_size for file in folder.iterdir())
    results = {
        "model": asdict(learner.shape) | {"weights": weights, "bytes": size},
        "training": training,
        "texts_per_trial": TRIED,
        "figures": [asdict(one) for one in figures],
    }
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = card(NAME, training, weights, size, len(load_patterns()), TRIED, figures)
    (folder / "README.md").write_text(text, encoding="utf-8")
    print(means_table(figures), directions_table(figures), sep="\n\n")


if __name__ == "__main__":
    main()
