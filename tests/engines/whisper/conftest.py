from collections.abc import Iterator

import pytest

from dragoman.engines.whisper.folder import WhisperOptions
from dragoman.engines.whisper.model import RightSizedWhisper
from dragoman.engines.whisper.scheduler import Scheduler
from dragoman.resources import resolve_model


@pytest.fixture(scope="session")
def micro() -> RightSizedWhisper:
    return RightSizedWhisper(WhisperOptions(resolve_model("micro"), threads=1))


@pytest.fixture
def scheduler(micro: RightSizedWhisper) -> Iterator[Scheduler]:
    scheduler = Scheduler(micro, max_batch=8)
    yield scheduler
    scheduler.close()
