import pytest

from dragoman.engines.breaker import Breaker, Health


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(60.0, 600.0, clock)


def may_try(breaker: Breaker) -> bool:
    return breaker.allows


def fail(breaker: Breaker) -> None:
    breaker.begin()
    breaker.failed()
    breaker.over()


def test_it_rests_after_a_failure_and_then_lets_one_try(breaker: Breaker, clock: Clock) -> None:
    assert may_try(breaker)
    fail(breaker)
    assert not may_try(breaker)
    clock.now_s = 60.0
    assert may_try(breaker)
    breaker.begin()
    assert not may_try(breaker)  # the others wait for what becomes of it
    breaker.succeeded()
    assert may_try(breaker)


def test_it_rests_longer_each_time(breaker: Breaker, clock: Clock) -> None:
    pauses = []
    for _ in range(6):
        fail(breaker)
        began_s = clock.now_s
        while not breaker.allows:
            clock.now_s += 1
        pauses.append(clock.now_s - began_s)
    assert pauses == [60, 120, 240, 480, 600, 600]


def test_failures_of_what_began_before_count_once(breaker: Breaker, clock: Clock) -> None:
    for _ in range(50):
        breaker.begin()
    for _ in range(50):
        breaker.failed()
    clock.now_s = 60.0
    assert breaker.allows


def test_an_attempt_that_was_left_off_makes_room_for_another(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now_s = 60.0
    breaker.begin()
    breaker.over()
    assert breaker.allows


def test_it_says_how_it_is(breaker: Breaker, clock: Clock) -> None:
    assert breaker.health("azure") == Health("azure")
    fail(breaker)
    clock.now_s = 20.0
    assert breaker.health("azure") == Health("azure", "open", 1, 40.0)
    clock.now_s = 60.0
    assert breaker.health("azure") == Health("azure", "half-open", 1)
    fail(breaker)
    assert breaker.health("azure") == Health("azure", "open", 2, 120.0)
