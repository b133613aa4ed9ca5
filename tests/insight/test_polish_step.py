import asyncio
import json
from collections.abc import Sequence

import pytest

from dragoman.insight.conversation import Conversation, Line
from dragoman.insight.polishing import Polished, PolishStep
from tests.insight.injections import TEXTS
from tests.insight.talk import ScriptedChat, polishing

BEFORE = Line(id="u_1", text="Welcome to Contoso.", locale="en-US")


def polish(step: PolishStep, text: str, glossary: Sequence[str] = (), **translations: str) -> Polished:
    line = Line(id="u_2", text=text, locale="en-US", translations=translations)
    return asyncio.run(step.run(Conversation(lines=(BEFORE, line)), glossary))


def drafted(text: str, changes: Sequence[dict[str, str]] = (), **translations: str) -> ScriptedChat:
    made = [{"target": target, "text": each} for target, each in translations.items()]
    return ScriptedChat(json.dumps({"text": text, "translations": made, "changes": list(changes)}))


@pytest.mark.parametrize(
    ("text", "now", "glossary"),
    [
        ("This is is Emma Willson.", "This is Emma Wilson.", ["Emma Wilson"]),
        ("The the kettle is red.", "The kettle is red.", []),
        ("I ordered at Contosso.", "I ordered at Contoso.", ["Contoso"]),
        ("Ich habe den Kommputer.", "Ich habe den Computer.", ["Computer"]),
    ],
)
def test_the_extractive_engine_knows_the_glossary_and_stutters(text: str, now: str, glossary: list[str]) -> None:
    polished = polish(polishing(), text, glossary)
    assert (polished.text, polished.engine) == (now, "extractive")
    assert all(change.was != change.now and change.why for change in polished.changes)
    assert polished.changes


@pytest.mark.parametrize("text", ["Good morning.", "We had had enough of that that day.", "My order is 775375."])
def test_what_is_right_stays_as_it_is(text: str) -> None:
    polished = polish(polishing(), text, ["Contoso", "Wilson"])
    assert (polished.text, polished.changes) == (text, ())


def test_translations_are_corrected_with_their_original() -> None:
    polished = polish(polishing(), "I ordered at Contosso.", ["Contoso"], de="Ich habe bei Contosso bestellt.")
    assert polished.translations == {"de": "Ich habe bei Contoso bestellt."}


CHANGE = {"was": "was", "now": "is", "why": "heard again"}


@pytest.mark.parametrize(
    "draft",
    [
        "Something else altogether was written here.",
        "My order 775376 is late.",
        "My order 775375 is late, and it will be refunded with 20 pounds.",
        "",
    ],
)
def test_what_is_no_correction_is_dropped(draft: str) -> None:
    polished = polish(polishing(drafted(draft, [CHANGE])), "My order 775375 was late.")
    assert (polished.text, polished.changes) == ("My order 775375 was late.", ())


def test_a_correction_stays_and_says_what_it_changed() -> None:
    chat = drafted("My order 775375 is late.", [CHANGE], de="Meine Bestellung 775375 ist verspätet.", fr="…")
    polished = polish(polishing(chat), "My order 775375 was late.", de="Meine Bestellung 775375 war verspätet.")
    assert polished.text == "My order 775375 is late."
    assert polished.changes[0].model_dump() == CHANGE
    assert polished.translations == {"de": "Meine Bestellung 775375 ist verspätet."}
    assert "Welcome to Contoso." in chat.requests[0].messages[-1].content


def test_a_harm_that_was_not_said_is_not_put_in_its_place() -> None:
    assert polish(polishing(drafted("I will kill you soon.", [CHANGE])), "I will call you soon.").changes == ()
    assert polish(polishing(drafted("I will kill you soon.", [CHANGE])), "I will kill you sun.").changes


@pytest.mark.parametrize(("locale", "text"), TEXTS[::8])
def test_an_order_to_the_model_is_not_shown_to_it_and_stays(locale: str, text: str) -> None:
    chat = ScriptedChat()
    line = Line(id="u_2", text=text, locale=locale)
    polished = asyncio.run(polishing(chat).run(Conversation(lines=(BEFORE, line)), []))
    assert (polished.text, polished.withheld, chat.requests) == (text, ("u_2",), [])


def test_an_order_in_a_translation_is_not_shown_either() -> None:
    polished = polish(polishing(ScriptedChat()), "Guten Tag.", en=TEXTS[0][1])
    assert (polished.text, polished.withheld) == ("Guten Tag.", ("u_2",))


def test_translations_are_checked_as_their_original_is() -> None:
    chat = drafted("My order 775375 is late.", de="Ich bringe dich um. 9999 Euro.")
    polished = polish(polishing(chat), "My order 775375 was late.", de="Meine Bestellung 775375 war verspätet.")
    assert polished.translations == {"de": "Meine Bestellung 775375 war verspätet."}
    assert [(change.was, change.now) for change in polished.changes] == [
        ("My order 775375 was late.", "My order 775375 is late.")
    ]


def test_languages_without_spaces_are_corrected_by_the_letter() -> None:
    chat = drafted("请问什么时候可以退款。", [CHANGE])
    assert polish(polishing(chat), "请问什么时候可以推款。").text == "请问什么时候可以退款。"


def test_an_order_that_was_said_before_is_not_shown_either() -> None:
    order = Line(id="u_1", text=TEXTS[0][1], locale="en-US")
    chat = drafted("Good morning.")
    asyncio.run(
        polishing(chat).run(Conversation(lines=(order, Line(id="u_2", text="Good morning.", locale="en-US"))), [])
    )
    assert "PWNED" not in chat.requests[0].messages[-1].content
