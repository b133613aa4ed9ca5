"""A translation model on disk: which languages it knows and which tokens it wants around a text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Style(StrEnum):
    """Where a model comes from, and with it how its folder is laid out."""

    OPUS_MT = "opus-mt"
    NLLB = "nllb"
    M2M100 = "m2m100"
    ARGOS = "argos"
    DRAGOMAN = "dragoman"


@dataclass(frozen=True, slots=True)
class SentencePieceFiles:
    """Two SentencePiece models: one cuts the source text, one joins the target's pieces; often the same file."""

    source: Path
    target: Path


@dataclass(frozen=True, slots=True)
class TokenizerFile:
    """A ``tokenizer.json`` of the ``tokenizers`` package."""

    path: Path


@dataclass(frozen=True, slots=True)
class Prompt:
    """The tokens around a text: before and after its pieces, and those that the translation must begin with."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    target: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TranslationModel:
    """A translation model on disk.

    ``sources`` and ``targets`` map canonical tags to the model's own words for them; every source goes with every
    target but itself. ``template`` is the prompt with ``{source}`` and ``{target}`` in place of those words.
    ``weights`` is the folder that CTranslate2 loads.
    """

    style: Style
    folder: Path
    weights: Path
    tokenizer: SentencePieceFiles | TokenizerFile
    sources: Mapping[str, str] = field(hash=False)
    targets: Mapping[str, str] = field(hash=False)
    template: Prompt

    def prompt(self, source: str, target: str) -> Prompt:
        """Return the tokens that go with a text; ``source`` and ``target`` are keys of the two mappings."""

        def fill(templates: Iterable[str]) -> tuple[str, ...]:
            words = (self.sources[source], self.targets[target])
            return tuple(text.replace("{source}", words[0]).replace("{target}", words[1]) for text in templates)

        return Prompt(fill(self.template.before), fill(self.template.after), fill(self.template.target))
