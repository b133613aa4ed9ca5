import asyncio
import time
from contextlib import aclosing

import pytest

from dragoman.domain.errors import ChatFilteredError
from dragoman.domain.insight import Claim
from dragoman.engines.chat.extractive.answer import NOT_THERE
from dragoman.insight.answering import Answer, AnswerStep
from dragoman.insight.conversation import Conversation, Line
from tests.insight.injections import TEXTS
from tests.insight.talk import ScriptedChat, answering, conversation, sample

DELAY = conversation("My order 775375 is late.", "It snowed in Marseille.", "I will call you on Monday at 7:15.")


def ask(step: AnswerStep, question: str, about: Conversation = DELAY, language: str = "en") -> Answer:
    return asyncio.run(step.run(question, about, language))


def streamed(step: AnswerStep, question: str, about: Conversation = DELAY) -> list[Claim | Answer]:
    async def collect() -> list[Claim | Answer]:
        async with aclosing(step.stream(question, about, "en")) as told:
            return [item async for item in told]

    return asyncio.run(collect())


@pytest.mark.parametrize(
    ("name", "question", "utterance", "says"),
    [
        ("en", "What is the order number?", "u_13", "3379"),
        ("es", "From which platform does the train leave?", "u_9", "platform 9"),
        ("de", "How much would the repair cost?", "u_10", "443"),
        ("fr", "How long does the reduction apply?", "u_11", "11 months"),
    ],
)
def test_the_extractive_engine_finds_where_it_was_said(name: str, question: str, utterance: str, says: str) -> None:
    about = sample(name)
    answer = ask(answering(), question, about)
    assert answer.engine == "extractive"
    assert any(utterance in sentence.utterance_ids and says in sentence.text for sentence in answer.sentences)
    said = {line.id: line.text for line in about.lines}
    assert all(quote.text == said[quote.utterance_id] for quote in answer.quotes)
    assert answer.quotes


@pytest.mark.parametrize("question", ["Who won the football match?", "What does the submarine weigh?", "?"])
def test_what_was_not_said_is_not_answered(question: str) -> None:
    answer = ask(answering(), question, sample("en"))
    assert (answer.is_found, answer.sentences, answer.quotes) == (False, (), ())


def test_sentences_that_nothing_bears_out_are_dropped() -> None:
    chat = ScriptedChat(
        "Order 775375 is late. [u_1] It snowed in Paris in 1999. [u_2] Call 12. [u_9] He calls on Monday. [u_3] And"
    )
    answer = ask(answering(chat), "What happened?")
    assert [sentence.text for sentence in answer.sentences] == ["Order 775375 is late.", "He calls on Monday."]
    assert answer.dropped == 2
    assert [quote.utterance_id for quote in answer.quotes] == ["u_1", "u_3"]


@pytest.mark.parametrize(
    "said",
    [
        "Order 775375 is late. [u_1][u_2] He calls on Monday. [u_3]",
        "Order 775375 is late [u_1, u_2]. He calls on Monday [u_3].",
        "Order 775375 is late. [u_1; u_2]\n\nHe calls on Monday. [u_3]\n",
        "Order 775375 is late. [u_1] [u_2] He calls on Monday. [u_3]",
    ],
)
def test_utterances_are_named_in_many_ways(said: str) -> None:
    whole = ask(answering(ScriptedChat(said)), "What happened?")
    assert [each.text.rstrip(".") for each in whole.sentences] == ["Order 775375 is late", "He calls on Monday"]
    assert [each.utterance_ids for each in whole.sentences] == [("u_1", "u_2"), ("u_3",)]
    told = streamed(answering(ScriptedChat(said)), "What happened?")
    assert tuple(item for item in told if isinstance(item, Claim)) == whole.sentences


def test_a_model_that_names_nothing_is_read_in_no_time() -> None:
    began_s = time.monotonic()
    assert not ask(answering(ScriptedChat("And so on. " * 20_000)), "What happened?").is_found
    streamed(answering(ScriptedChat("Yes." + "\n" * 3_000)), "What happened?")
    assert time.monotonic() - began_s < 2


def test_an_example_is_text_where_the_answer_is() -> None:
    chat = ScriptedChat(NOT_THERE)
    ask(answering(chat), "Who paid?")
    assert chat.requests[0].messages[2].content == NOT_THERE


def test_a_model_may_say_that_it_is_not_there() -> None:
    assert not ask(answering(ScriptedChat(NOT_THERE)), "Who paid?").is_found


def test_sentences_come_as_they_are_said_and_only_if_they_were() -> None:
    chat = ScriptedChat("Order 775375 is late. [u_1] The moon is green. [u_2] He calls on Monday. [u_3]")
    told = streamed(answering(chat), "What happened?")
    assert [item.text for item in told if isinstance(item, Claim)] == ["Order 775375 is late.", "He calls on Monday."]
    assert isinstance(told[-1], Answer)
    assert told[-1].sentences == tuple(item for item in told if isinstance(item, Claim))


@pytest.mark.parametrize("question", [text for _, text in TEXTS[:12]])
def test_orders_are_no_questions(question: str) -> None:
    with pytest.raises(ChatFilteredError, match="not like a question"):
        ask(answering(), question)


def test_harm_is_not_repeated_whole_or_in_a_stream() -> None:
    about = conversation("I will kill you if order 5 is late.", "It is late.")
    said = "He says: I will kill you. [u_1] It is late. [u_2]"
    answer = ask(answering(ScriptedChat(said)), "What happened?", about)
    assert ([each.text for each in answer.sentences], answer.blocked) == (["It is late."], ("violence",))
    told = streamed(answering(ScriptedChat(said)), "What happened?", about)
    assert [item.text for item in told if isinstance(item, Claim)] == ["It is late."]


def test_what_reads_like_an_order_is_withheld() -> None:
    about = Conversation(lines=(*DELAY.lines, Line(id="u_4", text=TEXTS[0][1], locale="en-US")))
    chat = ScriptedChat("PWNED [u_4]")
    answer = ask(answering(chat), "What happened?", about)
    assert (answer.is_found, answer.withheld) == (False, ("u_4",))
    assert "PWNED" not in chat.requests[0].messages[-1].content


def test_several_transcripts_are_one_conversation_with_their_own_ids() -> None:
    lines = [line.model_copy(update={"id": f"{number}/{line.id}"}) for number in (1, 2) for line in DELAY.lines]
    answer = ask(answering(), "When will you call?", Conversation(lines=tuple(lines)))
    assert {quote.utterance_id for quote in answer.quotes} == {"1/u_3", "2/u_3"}
