"""The training loop: processes of one thread each, gradients averaged after every step, checkpoints to resume from.

Two processes of one thread are quicker than one of two. Progress is measured in processor time, so that a run fits a
budget on any machine, and learns no less on a busy one.
"""

import json
import os
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import distributed, nn

from training.speech.background import load_background
from training.speech.corpus import Corpus
from training.whisper.batches import batches
from training.whisper.losses import Losses, Weights, losses
from training.whisper.model import Shape, Whisper
from training.whisper.recipe import Recipe
from training.whisper.tokens import Tokens
from training.whisper.windows import Windows

_REPORT_STEPS: Final = 50
_SAVE_S: Final = 120.0
_WARM_UP_STEPS: Final = 150
_MUON_RATE, _ADAM_RATE = 2e-3, 1.5e-3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is: where its corpus and results lie, and how many minutes of each process its rounds take."""

    corpus: Path
    results: Path
    minutes: float
    further: float = 0.0
    seed: int = 1
    processes: int = 2
    positions: int = 3_600

    @property
    def checkpoint(self) -> Path:
        """Return the file from which the run goes on."""
        return self.results / "checkpoint.pt"

    @property
    def budget_s(self) -> float:
        """Return the processor time of both rounds in seconds."""
        return (self.minutes + self.further) * 60

    def stage(self, trained_s: float) -> "Stage":
        """Return what is trained after so much time."""
        first_s = self.minutes * 60
        if trained_s < first_s or not self.further:
            return stage(trained_s / first_s)
        return further_stage((trained_s - first_s) / (self.further * 60))

    def rate(self, trained_s: float, step: int) -> float:
        """Return the factor on the learning rates after so much time."""
        first_s = self.minutes * 60
        if trained_s < first_s or not self.further:
            return rate(trained_s / first_s, step)
        return further_rate((trained_s - first_s) / (self.further * 60))


@dataclass(frozen=True, slots=True)
class Stage:
    """What is trained from a given share of the run on."""

    recipe: Recipe
    weights: Weights
    prompted: float


def stage(progress: float) -> Stage:
    """Return the stage at a share of the run, 0 to 1.

    The encoder learns to listen before the decoder learns to talk: a decoder that starts together with it learns the
    sentences by heart first.
    """
    if progress < 0.14:
        return Stage(Recipe(several=0.1, long=0, cut=0, tight=1.0), Weights(say=0, spell=1.0, sound=1.0), 0.0)
    if progress < 0.7:
        recipe = Recipe(several=0.15, long=0, tight=0.8, translated=0.3)
        return Stage(recipe, Weights(spell=0.6, sound=0.8, look=0.4), 0.0)
    # Windows of many sentences and translations are what the first run saw too little of.
    return Stage(Recipe(several=0.45, long=0.05, translated=0.35), Weights(spell=0.3, sound=0.3, look=0.25), 0.12)


def rate(progress: float, step: int) -> float:
    """Return the factor on the learning rates: warm-up, constant to 30 %, then a cosine to 1 %."""
    warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
    if progress < 0.3:
        return warm
    return warm * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(1.0, (progress - 0.3) / 0.7)))))


def further_stage(progress: float) -> Stage:
    """Return the stage at a share of a second round: a first one of 90 minutes ended while errors were still falling.

    What the model understood least two fifths through it were voices unlike those of training: then these are made up.
    The last part is for what was weakest after them: windows of many sentences, and translations.
    """
    weights = Weights(spell=0.3, sound=0.3, look=0.2)
    if progress < 0.4:
        return Stage(Recipe(several=0.45, long=0.05, translated=0.5, noisy=0.3), weights, 0.12)
    if progress < 0.625:
        return Stage(Recipe(several=0.45, long=0.05, translated=0.5, noisy=0.3, warped=0.35), weights, 0.12)
    return Stage(Recipe(several=0.45, long=0.12, translated=0.6, noisy=0.3, warped=0.4), weights, 0.12)


def further_rate(progress: float) -> float:
    """Return the factor on the learning rates of the second round: a short rise to 0.6, then straight down to 1 %."""
    return min(0.6, 0.01 + 30 * progress, 0.01 + 0.61 * (1 - progress))


def train(plan: Plan) -> None:
    """Train, or go on, until the minutes are used up."""
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29533")
    torch.multiprocessing.start_processes(_work, (plan,), plan.processes, start_method="spawn")


class Trainee:
    """A model with its optimisers and how far it has come."""

    def __init__(self, shape: Shape, seed: int) -> None:
        torch.manual_seed(seed)
        self.shape = shape
        self.model = Whisper(shape)
        inner = [*self.model.encoder.parameters(), *self.model.decoder.parameters()]
        matrices = [weight for weight in inner if weight.ndim == 2]
        chosen = {id(weight) for weight in matrices}
        others = [weight for weight in self.model.parameters() if id(weight) not in chosen]
        # Muon turns gradients of matrices into steps of equal size in every direction (Jordan et al. 2024).
        self.muon = torch.optim.Muon(matrices, lr=_MUON_RATE, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
        self.adam = torch.optim.AdamW(others, lr=_ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.01)
        self.step = 0
        self.trained_s = 0.0

    def save(self, file: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        state = {
            "shape": asdict(self.shape),
            "model": self.model.state_dict(),
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
            "step": self.step,
            "trained_s": self.trained_s,
        }
        partial = file.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(file)

    def load(self, file: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(file)
        self.model.load_state_dict(state["model"])
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        self.step, self.trained_s = state["step"], state["trained_s"]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with what made it."""

    model: Whisper
    steps: int
    minutes: float


def load_trained(file: Path) -> Trained:
    """Return the model of a checkpoint."""
    state = torch.load(file)
    model = Whisper(Shape(**state["shape"]))
    model.load_state_dict(state["model"])
    return Trained(model.eval(), state["step"], state["trained_s"] / 60)


def phoneme_classes(corpus: Corpus, file: Path) -> dict[str, int]:
    """Return a number for each phoneme heard often, the same for a whole run; 0 is silence and all that is rare."""
    if file.exists():
        classes: dict[str, int] = json.loads(file.read_text())
        return classes
    counts: dict[str, int] = defaultdict(int)
    for utterance in corpus.utterances[:: max(1, len(corpus.utterances) // 20_000)]:
        for name, _ in utterance.phonemes:
            counts[name] += 1
    often = sorted(name for name, count in counts.items() if count >= 20 and not name.startswith("_"))
    classes = {name: at for at, name in enumerate(often, 1)}
    file.write_text(json.dumps(classes))
    return classes


def _work(rank: int, plan: Plan) -> None:
    torch.set_num_threads(1)
    if plan.processes > 1:
        distributed.init_process_group("gloo", rank=rank, world_size=plan.processes)
    corpus = Corpus(plan.corpus / "speech")
    tokens = Tokens.load(plan.corpus / "tokenizer.json")
    phonemes = phoneme_classes(corpus, plan.corpus / "phonemes.json")
    trainee = Trainee(Shape(tokens.size, tokens.eot, len(phonemes) + 1), plan.seed)
    if plan.checkpoint.exists():
        trainee.load(plan.checkpoint)
    noises = load_background(plan.corpus / "background.npy", plan.seed)
    seed = int(np.random.default_rng((plan.seed, rank, trainee.step)).integers(1 << 31))
    windows = Windows(corpus, noises, tokens, phonemes, seed)
    _run(plan, trainee, windows, np.random.default_rng(seed), rank)


def _run(plan: Plan, trainee: Trainee, windows: Windows, rng: np.random.Generator, rank: int) -> None:
    seen: dict[str, float] = defaultdict(float)
    saved_at, last = time.monotonic(), time.process_time()
    while trainee.trained_s < plan.budget_s:
        current = plan.stage(trainee.trained_s)
        for batch in batches(windows, current.recipe, plan.positions, rng, current.prompted):
            result = losses(trainee.model, batch, current.weights)
            trainee.model.zero_grad()
            result.total.backward()
            now = time.process_time()
            trainee.trained_s += _share(trainee.model, now - last, plan.processes)
            last = now
            _update(trainee, plan.rate(trainee.trained_s, trainee.step))
            _count(seen, result, len(batch.mel))
            if rank == 0 and trainee.step % _REPORT_STEPS == 0:
                _report(plan, trainee, seen)
            if rank == 0 and time.monotonic() - saved_at > _SAVE_S:
                trainee.save(plan.checkpoint)
                saved_at = time.monotonic()
            if trainee.trained_s >= plan.budget_s:
                break
    if rank == 0:
        trainee.save(plan.checkpoint)


def _share(model: nn.Module, took_s: float, processes: int) -> float:
    """Average the gradients over the processes; return the mean of the time each says that it took."""
    if processes == 1:
        return took_s
    gradients = []
    for parameter in model.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad.flatten())
    joined = torch.cat([*gradients, torch.tensor([took_s])])
    distributed.all_reduce(joined)
    joined /= processes
    at = 0
    for parameter in model.parameters():
        mean = joined[at : at + parameter.numel()].view_as(parameter)
        parameter.grad = mean.clone() if mean.any() else None  # what is not trained yet takes no step
        at += parameter.numel()
    return float(joined[-1])


def _update(trainee: Trainee, factor: float) -> None:
    nn.utils.clip_grad_norm_(trainee.model.parameters(), 1.0)
    for optimiser, full in ((trainee.muon, _MUON_RATE), (trainee.adam, _ADAM_RATE)):
        for group in optimiser.param_groups:
            group["lr"] = full * factor
        optimiser.step()
    trainee.step += 1


def _count(seen: dict[str, float], result: Losses, windows: int) -> None:
    for name in ("say", "spell", "sound", "look", "right"):
        seen[name] += getattr(result, name)
    seen["steps"] += 1
    seen["windows"] += windows


def _report(plan: Plan, trainee: Trainee, seen: dict[str, float]) -> None:
    steps = seen.pop("steps")
    windows = seen.pop("windows")
    means = "  ".join(f"{name} {value / steps:.3f}" for name, value in seen.items())
    line = f"{trainee.trained_s:7.0f} s  step {trainee.step:6}  {means}  windows/step {windows / steps:.1f}"
    with (plan.results / "log.txt").open("a") as log:
        print(line, file=log)
    print(line, flush=True)
    seen.clear()
