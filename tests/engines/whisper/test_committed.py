from dragoman.domain.language import parse_locale
from dragoman.engines.whisper.committed import CommittedTokens

EN, DE = parse_locale("en-US"), parse_locale("de-DE")


def test_what_two_readings_agree_on_is_committed_but_for_its_end() -> None:
    committed = CommittedTokens()
    assert committed.prefix(0, EN) == ()
    committed.read((1, 2, 3, 4, 5))
    assert committed.prefix(0, EN) == ()  # one reading is nobody's agreement
    committed.read((1, 2, 3, 4, 6, 7))
    assert committed.prefix(0, EN) == (1, 2)


def test_what_is_committed_stays_whatever_a_later_reading_says() -> None:
    committed = CommittedTokens()
    committed.prefix(0, EN)
    committed.read((1, 2, 3, 4))
    committed.read((1, 2, 3, 4))
    committed.read((1, 2, 9))
    assert committed.prefix(0, EN) == (1, 2)


def test_another_utterance_or_language_begins_with_nothing() -> None:
    committed = CommittedTokens()
    for start, locale in ((0, EN), (0, DE), (500, DE)):
        assert committed.prefix(start, locale) == ()
        committed.read((1, 2, 3, 4))
        committed.read((1, 2, 3, 4))
        assert committed.prefix(start, locale) == (1, 2)


def test_a_reading_that_was_not_trusted_commits_nothing() -> None:
    committed = CommittedTokens()
    committed.prefix(0, EN)
    committed.read((1, 2, 3, 4))
    committed.read((1, 2, 3, 4))
    committed.forget()
    assert committed.prefix(0, EN) == ()
