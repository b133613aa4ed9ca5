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

SUMMARIES: Final[Mapping[tuple[str, str], str]] = {
    ("en_call.wav", "en"): (
        "A customer asks about a kettle on page 46 of the catalogue, which costs 603 euros in red. 35 brown cups "
        "are in stock, and 26 of them save 48 percent. The customer adds a lamp to order 3379; the salesman will "
        "contact them on Sunday at 7:15."
    ),
    ("en_call.wav", "de"): (
        "Eine Kundin fragt nach einem Wasserkocher von Seite 46 des Katalogs; in Rot kostet er 603 Euro. 35 "
        "braune Tassen sind vorrätig, bei 26 spart man 48 Prozent. Zur Bestellung 3379 kommt eine Lampe; der "
        "Verkäufer meldet sich am Sonntag um 7:15 Uhr."
    ),
    ("es_call.wav", "fr"): (
        "L'express pour Madrid a été détourné et une valise manque. L'excédent de bagages coûte 455 euros, et le "
        "train part de la voie 9. Le client demande une pancarte au nom de Diego Herrera et attend à l'hôpital."
    ),
    ("es_call.wav", "es"): (
        "El expreso a Madrid fue desviado y una maleta no apareció. El exceso de equipaje cuesta 455 euros y el "
        "tren sale de la vía 9. El cliente pide un cartel con el nombre Diego Herrera y espera en el hospital."
    ),
    ("de_call.wav", "en"): (
        "The customer's computer from 2021 shows error 5346, its battery is stuck at 36 percent and the "
        "television is slow. The television is exchanged free of charge; a repair would cost 443 euros, for the "
        "guarantee has expired. A technician comes on Wednesday at 12."
    ),
    ("de_call.wav", "de"): (
        "Der Computer von 2021 zeigt den Fehler 5346, der Akku hängt bei 36 Prozent, und der Fernseher ist "
        "langsam. Der Fernseher wird kostenlos umgetauscht; eine Reparatur würde 443 Euro kosten, denn die "
        "Garantie ist abgelaufen. Der Techniker kommt am Mittwoch um 12 Uhr."
    ),
    ("fr_call.wav", "fr"): (
        "La cliente a été facturée 82 dollars de trop et conteste la ligne 61. Le compte est à Alice Moreau, qui "
        "a déménagé à Genève. Une réduction de 55 pour cent s'applique pendant 11 mois ; il reste 10 jours pour "
        "contester."
    ),
    ("fr_call.wav", "es"): (
        "A la clienta le cobraron 82 dólares de más y la línea 61 no tiene sentido. La cuenta es de Alice Moreau, "
        "que se mudó a Ginebra. Hay un descuento del 55 por ciento durante 11 meses y quedan 10 días para "
        "reclamar."
    ),
    ("mixed_call.wav", "en"): (
        "A table was scratched during transport, and the order 775375 is late because customs has been holding it "
        "for 8 days. Mehmet Demir accepted the packet. On Thursday nobody is home; the bell at house number 11 is "
        "to be rung."
    ),
    ("mixed_call.wav", "de"): (
        "Ein Tisch wurde beim Transport zerkratzt, und der Zoll hält die Ware der Bestellung 775375 schon 8 Tage "
        "fest. Mehmet Demir hat das Paket angenommen. Am Donnerstag ist niemand zu Hause; man soll bei Hausnummer "
        "11 klingeln."
    ),
}
"""How a person who read these calls would sum them up, in the languages in which the data asks for it."""

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
            summary = SUMMARIES.get((entry["file"], language))
            summed = {"summary": summary} if summary else {}
            yield {"conversation": {"lines": lines}, "language": language, "expected": expected, **summed}
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
        yield {"conversation": {"lines": [*lines[:-1], last]}, "glossary": [word], "expected": lines[-1]["text"]}


async def insights() -> AsyncGenerator[Mapping[str, object], None]:
    """Yield what the extractive engine says of the calls above, with what was expected, for its evaluation."""
    step = Steps(Settings()).insight()
    for given in conversations():
        if given["expected"]:
            about, language = Conversation.model_validate(given["conversation"]), str(given["language"])
            insight = (await step.run(about, language)).model_copy(update={"costs": ()})
            yield {"insight": insight.model_dump(mode="json"), **_without(given, "language", "summary")}


async def answers() -> AsyncGenerator[Mapping[str, object], None]:
    """Yield what the extractive engine answers to the questions above, for its evaluation."""
    step = Steps(Settings()).answer()
    for given in questions():
        about, language = Conversation.model_validate(given["conversation"]), str(given["language"])
        answer = (await step.run(str(given["question"]), about, language)).model_copy(update={"costs": ()})
        yield {"answer": answer.model_dump(mode="json"), **_without(given, "question")}


def _without(given: Mapping[str, object], *names: str) -> Mapping[str, object]:
    return {key: value for key, value in given.items() if key not in names}


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
