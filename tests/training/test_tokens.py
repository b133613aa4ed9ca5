"""The vocabulary that CTranslate2 and faster-whisper expect."""

from itertools import islice

import pytest

from training.text.sentences import LANGUAGES, sentences
from training.whisper.tokens import TEXT_PIECES, TIMESTAMPS, Tokens, train_tokens


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    texts = (" " + each.text(language) for each in islice(sentences(1, "train"), 400) for language in LANGUAGES)
    return train_tokens(texts)


def test_what_is_no_text_follows_it_in_whispers_order(tokens: Tokens) -> None:
    vocabulary = tokens.vocabulary()
    assert vocabulary[TEXT_PIECES - 1] == ""  # by this CTranslate2 knows a multilingual model
    assert vocabulary[TEXT_PIECES : TEXT_PIECES + 2] == ["<|endoftext|>", "<|startoftranscript|>"]
    assert vocabulary[tokens.no_speech + 1] == "<|notimestamps|>"
    assert vocabulary[-1] == "<|30.00|>"
    assert len(vocabulary) == len(set(vocabulary)) == tokens.first_timestamp + TIMESTAMPS
    assert tokens.no_speech - tokens.sot - 5 == len(LANGUAGES)  # how CTranslate2 counts the languages


def test_a_sentence_is_its_words_in_a_row_and_comes_back(tokens: Tokens) -> None:
    for sentence in islice(sentences(2, "combination"), 200):
        for language in LANGUAGES:
            text = sentence.text(language)
            ids = [token for word in text.split() for token in tokens.word(word)]
            assert ids == tokens.tokenizer.encode(" " + text, add_special_tokens=False).ids
            assert tokens.text(ids) == text


def test_no_word_needs_a_lone_space(tokens: Tokens) -> None:
    """faster-whisper suppresses it: such a word could never be said."""
    words = {
        word for each in islice(sentences(3, "train"), 500) for lang in LANGUAGES for word in each.text(lang).split()
    }
    assert not [word for word in words if tokens.space in tokens.word(word)]


def test_digits_stand_alone(tokens: Tokens) -> None:
    assert len(tokens.word("90210")) == 5
