import asyncio

import numpy as np

from dragoman.domain.audio import Span
from dragoman.engines.hearing import Growing
from dragoman.engines.whisper.previews import Encoding, Previews
from dragoman.engines.whisper.scheduler import Listening


async def never() -> Listening:
    await asyncio.Event().wait()
    raise AssertionError


def encoding() -> Encoding:
    """Return one that never ends."""
    return Encoding(Growing(Span(0, 160), np.zeros(160, np.float32)), asyncio.create_task(never()), 0.0)


def test_a_later_sound_takes_the_place_of_one_that_waits() -> None:
    async def replace() -> None:
        previews = Previews()
        waiting = previews.grow(encoding())
        assert previews.may_grow()
        later = previews.grow(encoding())
        assert await waiting.outcome() is None
        previews.pass_over(waiting)  # it makes no room by that: the later one is at it
        later.begun.set()
        assert not previews.may_grow()
        previews.pass_over(later)
        assert previews.may_grow()

    asyncio.run(replace())


def test_what_may_be_shown_next_comes_when_the_last_is_out() -> None:
    async def show() -> None:
        previews = Previews()
        growing = previews.grow(encoding())
        growing.begun.set()
        assert not previews.may_grow()
        assert isinstance(growing.sound, Growing)
        previews.shown(growing.sound)
        assert previews.may_grow()
        growing.listening.cancel()

    asyncio.run(show())
