"""``python -m training.conversations``: the data of the flows, from what is said in the sample recordings.

Every recording in which several things are said becomes a conversation, read in two languages; the lines hold what was
really said, with the speakers and translations of the manifest.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from dragoman.resources import flows_folder, samples_folder

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


def as_lines(found: Iterator[Mapping[str, object]]) -> str:
    """Return them as JSON lines."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in found)


if __name__ == "__main__":
    (flows_folder() / "insight" / "data.jsonl").write_text(as_lines(conversations()), encoding="utf-8")
    (flows_folder() / "answer" / "data.jsonl").write_text(as_lines(questions()), encoding="utf-8")
    (flows_folder() / "polish" / "data.jsonl").write_text(as_lines(rough()), encoding="utf-8")
