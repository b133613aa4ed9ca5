"""``python -m training.conversations``: the data of the flows, from what is said in the sample recordings.

Every recording in which several things are said becomes a conversation, read in two languages; the lines hold what was
really said, with the speakers and translations of the manifest.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from typing import Final

from dragoman.insight.conversation import Conversation
from dragoman.resources import flows_folder, samples_folder
from dragoman.settings import Settings
from dragoman.steps import Steps

READERS: Final = ("en", "de", "fr", "es")
EXPECTED: Final[Mapping[str, tuple[int, ...]]] = {
    "en_call.wav": (9, 12, 15),
    "es_call.wav": (5, 8),
    "de_call.wav": (6, 15),
    "fr_call.wav": (3, 5),
    "mixed_call.wav": (11, 13),
}
"""Utterances, counted from 1, in which a person who read these calls found something to be done or promised."""

QUESTIONS: Final = (
    ("What is the order number?", 13, "Who is the manager of the shop?"),
    ("How much does the excess baggage cost?", 7, "What was served for dinner on the plane?"),
    ("How much would the repair cost?", 10, "What is the colour of the computer?"),
    ("How long does the reduction apply?", 11, "Which film did they watch?"),
    ("What is the order number?", 5, "How tall is the postman?"),
)
"""To each of these calls, in their order: a question, the utterance that answers it, and one that nothing answers."""

MISHEARD: Final = (
    (1, "Emma Wilson", "Emma Willson", "Wilson"),
    (5, "Herrera", "Herera", "Herrera"),
    (2, "Computer", "Commputer", "Computer"),
    (4, "Alice Moreau", "Alice Alice Morreau", "Moreau"),
    (6, "Mehmet Demir", "Memet Demir", "Mehmet"),
)
"""For each of these calls: an utterance, what was said in it, what was heard, and a word of the glossary."""

_LEAST: Final = 3


def conversations() -> Iterator[Mapping[str, object]]:
    """Yield conversations with the language in which each is to be read."""
    manifest = samples_folder() / "audio" / "manifest.jsonl"
    number = 0
    for entry in map(json.loads, manifest.read_text(encoding="utf-8").splitlines()):
        if len(entry["utterances"]) < _LEAST:
            continue
        lines = [
            {
                "id": f"u_{at}",
                "text": said["text"],
                "locale": said["locale"],
                "start_ms": said["start_ms"],
                "end_ms": said["end_ms"],
                "speaker": said["speaker"],
                "translations": said["translations"],
            }
            for at, said in enumerate(entry["utterances"], 1)
        ]
        for _ in range(2):
            expected = [f"u_{at}" for at in EXPECTED.get(entry["file"], ())]
            language = READERS[number % len(READERS)]
            yield {"conversation": {"lines": lines}, "language": language, "expected": expected}
            number += 1


def questions() -> Iterator[Mapping[str, object]]:
    """Yield conversations with a question each; ``expected`` are the utterances that answer it, if any does."""
    asked = {id_: each for each in conversations() if (id_ := str(each["conversation"])) and each["expected"]}
    for given, (found, at, missing) in zip(asked.values(), QUESTIONS, strict=True):
        for question, expected in ((found, [f"u_{at}"]), (missing, [])):
            yield {
                "question": question,
                "conversation": given["conversation"],
                "language": "en",
                "expected": expected,
            }


def rough() -> Iterator[Mapping[str, object]]:
    """Yield utterances with a word misheard or said twice, what was said before, and the glossary that knows better."""
    asked = {id_: each for each in conversations() if (id_ := str(each["conversation"])) and each["expected"]}
    for given, (at, was, now, word) in zip(asked.values(), MISHEARD, strict=True):
        conversation = given["conversation"]
        assert isinstance(conversation, dict)
        lines = conversation["lines"][:at]
        last = {**lines[-1], "text": lines[-1]["text"].replace(was, now)}
        yield {"conversation": {"lines": [*lines[:-1], last]}, "glossary": [word]}


async def insights() -> AsyncGenerator[Mapping[str, object], None]:
    """Yield what the extractive engine says of the calls above, with what was expected, for its evaluation."""
    step = Steps(Settings()).insight()
    for given in conversations():
        if given["expected"]:
            about, language = Conversation.model_validate(given["conversation"]), str(given["language"])
            insight = (await step.run(about, language)).model_copy(update={"costs": ()})
            yield {"insight": insight.model_dump(mode="json"), **_without(given, "language")}


async def answers() -> AsyncGenerator[Mapping[str, object], None]:
    """Yield what the extractive engine answers to the questions above, for its evaluation."""
    step = Steps(Settings()).answer()
    for given in questions():
        about, language = Conversation.model_validate(given["conversation"]), str(given["language"])
        answer = (await step.run(str(given["question"]), about, language)).model_copy(update={"costs": ()})
        yield {"answer": answer.model_dump(mode="json"), **_without(given, "question")}


def _without(given: Mapping[str, object], name: str) -> Mapping[str, object]:
    return {key: value for key, value in given.items() if key != name}


async def _collected(found: AsyncGenerator[Mapping[str, object], None]) -> list[Mapping[str, object]]:
    return [each async for each in found]


def all_data() -> Mapping[str, str]:
    """Return the data of every flow whose data is made here, as JSON lines."""
    return {
        "insight": as_lines(conversations()),
        "answer": as_lines(questions()),
        "polish": as_lines(rough()),
        "eval_insight": as_lines(asyncio.run(_collected(insights()))),
        "eval_answer": as_lines(asyncio.run(_collected(answers()))),
    }


def as_lines(found: Iterable[Mapping[str, object]]) -> str:
    """Return them as JSON lines."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in found)


if __name__ == "__main__":
    for flow, lines in all_data().items():
        (flows_folder() / flow / "data.jsonl").write_text(lines, encoding="utf-8")
