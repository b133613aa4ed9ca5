import pytest

from dragoman.engines.whisper.beats import Beats


def beat(beats: Beats[str], at_s: float, cost_s: float = 0.0) -> None:
    """Encode what waits, at a cost, and ask for no text."""
    for _ in beats.sounds(at_s):
        beats.worked(cost_s)
        beats.sound_done(at_s, encoded=False)


@pytest.mark.parametrize(("cost_s", "next_s"), [(0.0, 0.5), (0.12, 0.8), (10.0, 1.0)])
def test_beats_are_as_frequent_as_their_cost_allows(cost_s: float, next_s: float) -> None:
    beats = Beats[str]()
    beats.add_sound("one")
    beat(beats, 10.0, cost_s)
    beats.add_sound("two")
    assert beats.wake_s == pytest.approx(10 + next_s)
    assert beats.sounds(10 + next_s - 0.01) == []
    assert beats.sounds(10 + next_s + 0.01) == ["two"]


def test_who_is_alone_waits_for_nobody() -> None:
    beats = Beats[str]()
    beats.add_sound("sound")
    assert beats.sounds(10.0) == ["sound"]
    beats.sound_done(10.1, encoded=True)
    beats.add_text("text")
    assert beats.texts(10.1) == ["text"]


def test_texts_wait_for_those_of_their_beat() -> None:
    beats = Beats[str]()
    beats.add_sound("one")
    beats.add_sound("other")
    assert beats.sounds(10.0) == ["one", "other"]
    beats.sound_done(10.1, encoded=True)
    beats.add_text("one")
    assert (beats.texts(10.1), beats.wake_s) == ([], None)  # the other is still being encoded
    beats.sound_done(10.2, encoded=True)
    assert beats.texts(10.2) == []  # and may be asked for
    assert beats.wake_s == pytest.approx(10.25)
    beats.add_text("other")
    assert beats.texts(10.2) == ["one", "other"]


@pytest.mark.parametrize("encoded", [True, False])
def test_texts_do_not_wait_for_who_does_not_come(encoded: bool) -> None:
    beats = Beats[str]()
    beats.add_sound("one")
    beats.add_sound("other")
    beats.sounds(10.0)
    beats.sound_done(10.1, encoded=True)
    beats.add_text("one")
    beats.sound_done(10.2, encoded=encoded)
    assert beats.texts(10.2 + 0.06) == ["one"]


def test_nothing_waits_when_all_is_over() -> None:
    beats = Beats[str]()
    beats.add_sound("one")
    beats.sounds(10.0)
    beats.add_sound("late")
    beats.add_text("text")
    assert beats.texts(10.1, closed=True) == ["text"]
    assert beats.sounds(10.1, closed=True) == ["late"]
