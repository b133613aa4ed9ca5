import pytest

from dragoman.engines.safety.rules import is_attack
from tests.calls import call
from tests.insight.injections import HARMLESS, TEXTS


@pytest.mark.parametrize("text", [text for _, text in TEXTS])
def test_orders_to_a_model_are_noticed(text: str) -> None:
    assert is_attack(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_people_say_to_each_other_is_not(text: str) -> None:
    assert not is_attack(text)


@pytest.mark.parametrize("name", ["en", "es", "de", "fr", "mixed"])
def test_no_sentence_of_the_sample_calls_is_taken_for_an_order(name: str) -> None:
    texts = [text for each in call(name).sentences for text in (each.text, each.english)]
    assert [text for text in texts if is_attack(text)] == []
