"""Reviewed answers of a step → training files of Azure OpenAI: chats, one per line.

Source: learn.microsoft.com, Azure OpenAI, "Customize a model with fine-tuning" (2025-09-30): JSON Lines in the shape of
chat completions, UTF-8 with a byte-order mark, below 512 MB; below 10 examples no job proceeds, and hundreds are
recommended; the system message is the one that the model will be used with.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.exports.outcome import Exported, LeftOut, Part, Reason, Written, part_of, written
from dragoman.datasets.items import CaseItem
from dragoman.datasets.leakage import seen_in
from dragoman.datasets.shots import Candidate, to_example
from dragoman.datasets.texts import normalized, said_in
from dragoman.domain.errors import DatasetInvalidError, DragomanError
from dragoman.domain.validation import first_problem
from dragoman.insight.content import Content, Example
from dragoman.insight.reciting import Step, answer_text, flaws

MIN_EXAMPLES: Final = 10
RECOMMENDED: Final = 100
MAX_BYTES: Final = 512_000_000
CONTEXT_TOKENS: Final = 65_536
"""The smallest context of a training example that the page of models names; a token has at least one byte."""

_BOM: Final = b"\xef\xbb\xbf"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    messages: tuple[_Message, ...] = Field(min_length=3)


@dataclass(frozen=True, slots=True)
class ChatWishes:
    """How to export; ``step`` is what the examples are for, with its words."""

    step: Step
    avoided: tuple[Dataset, ...] = ()
    min_examples: int = MIN_EXAMPLES
    max_bytes: int = MAX_BYTES


async def export_chats(
    dataset: Dataset, folder: Path, wishes: ChatWishes, on_done: Callable[[str], None] = lambda _: None
) -> Exported:
    """Write ``training.jsonl`` and, of what is held out, ``validation.jsonl``.

    Raises:
        DatasetInvalidError: if there are too few examples for any job, or one file is too large.
        DragomanError: if the guard cannot tell whether an example is harmless.
    """
    left_out: list[LeftOut] = []
    lines: dict[Part, dict[str, None]] = {Part.TRAIN: {}, Part.TUNE: {}}
    seen = seen_in((text for case in dataset.cases for text in said_in(case.given)), wishes.avoided)
    asked: dict[str, Part] = {}
    # What is held out comes first, so that it is not taught.
    for case in sorted(dataset.cases, key=lambda case: part_of(case.split) is Part.TRAIN):
        part = Part.TRAIN if part_of(case.split) is Part.TRAIN else Part.TUNE
        try:
            example = await _sound(case, wishes.step, seen, part)
            line = _line(wishes.step.content, example)
        except _UnfitError as error:
            left_out.append(LeftOut(case.id, error.reason, error.why))
        else:
            given = json.dumps(dict(example.given), sort_keys=True)
            if asked.setdefault(given, part) is not part:
                left_out.append(LeftOut(case.id, Reason.SHARED, "it is held out in 'validation'"))
            elif line in lines[part]:
                left_out.append(LeftOut(case.id, Reason.DUPLICATE, "it is there already"))
            else:
                lines[part].setdefault(line)
        on_done(case.id)
    return _write(folder, lines, tuple(left_out), wishes)


class _UnfitError(ValueError):
    def __init__(self, reason: Reason, why: str) -> None:
        super().__init__(why)
        self.reason = reason
        self.why = why


async def _sound(case: CaseItem, step: Step, seen: dict[str, str], part: Part) -> Example:
    """Return the example in a case, if a model may be taught with it."""
    try:
        candidate = Candidate.model_validate({key: value for key, value in case.given.items() if key != "split"})
        example = to_example(candidate, case.id)
    except ValidationError as error:
        raise _UnfitError(Reason.SHAPE, f"{first_problem(error)} An example has 'given' and 'answer'.") from error
    except DragomanError as error:
        raise _UnfitError(Reason.SHAPE, str(error)) from error
    if not candidate.reviewed:
        raise _UnfitError(Reason.REVIEW, "nobody has reviewed it")
    texts = (*said_in(example.given), *said_in(example.answer))
    if part is Part.TRAIN and (source := next(filter(None, (seen.get(normalized(text)) for text in texts)), None)):
        raise _UnfitError(Reason.EVALUATION, f"it shares a text with {source}")
    if found := await flaws(step, example):
        raise _UnfitError(Reason.SHAPE, f"the step would not accept it: {'; '.join(found)}")
    return example


def _line(content: Content, example: Example) -> str:
    asked = content.messages(example.given, example.locales, 0)
    messages = [{"role": message.role, "content": message.content} for message in asked]
    messages.append({"role": "assistant", "content": answer_text(example.answer)})
    return json.dumps({"messages": messages}, ensure_ascii=False)


def _write(
    folder: Path, lines: dict[Part, dict[str, None]], left_out: tuple[LeftOut, ...], wishes: ChatWishes
) -> Exported:
    taught = lines[Part.TRAIN]
    if len(taught) < wishes.min_examples:
        first = f" The first that is left out: {left_out[0].item}, {left_out[0].why}." if left_out else ""
        raise DatasetInvalidError(
            f"{len(taught)} examples can be taught, and below {wishes.min_examples} no job proceeds; add more.{first}"
        )
    files: list[Written] = []
    notes = []
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in ((Part.TRAIN, "training.jsonl"), (Part.TUNE, "validation.jsonl")):
        if lines[part]:
            path = folder / name
            path.write_bytes(_BOM + "".join(f"{line}\n" for line in lines[part]).encode())
            inspect_chats(path, wishes.max_bytes)
            files.append(written(folder, path, len(lines[part])))
    if len(taught) < RECOMMENDED:
        notes.append(f"{len(taught)} examples will run and hardly teach: hundreds are recommended.")
    if Part.TUNE not in lines or not lines[Part.TUNE]:
        notes.append("Nothing is held out, so no validation loss will be seen; make a part with: dragoman data split")
    if large := sum(len(line.encode()) > CONTEXT_TOKENS for line in taught):
        notes.append(f"{large} examples may be longer than {CONTEXT_TOKENS:,} tokens, and would be cut.")
    return Exported(tuple(files), left_out, tuple(notes))


def inspect_chats(path: Path, max_bytes: int = MAX_BYTES) -> int:
    """Return how many chats a training file holds, if it is what the page asks for.

    Raises:
        DatasetInvalidError: naming the line that is not.
    """
    raw = path.read_bytes()
    if not raw.startswith(_BOM) or len(raw) >= max_bytes:
        raise DatasetInvalidError(f"'{path.name}' has no byte-order mark, or {max_bytes} bytes and more.")
    count = 0
    for number, line in enumerate(raw[len(_BOM) :].decode().split("\n")[:-1], 1):
        try:
            roles = [message.role for message in _Line.model_validate_json(line).messages]
        except ValidationError as error:
            raise DatasetInvalidError(f"'{path.name}', line {number}: {first_problem(error)}") from error
        if roles[0] != "system" or roles[-1] != "assistant" or not _alternate(roles[1:]):
            raise DatasetInvalidError(f"'{path.name}', line {number}: a system, then user and assistant in turn.")
        count += 1
    return count


def _alternate(roles: Sequence[str]) -> bool:
    return all(role == ("user", "assistant")[number % 2] for number, role in enumerate(roles))
