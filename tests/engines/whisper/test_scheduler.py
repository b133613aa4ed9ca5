import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from ctranslate2 import StorageView
from numpy.typing import NDArray

from dragoman.domain.errors import EngineFailedError
from dragoman.engines.whisper.model import Decoded, DecodeJob, Encoded, TimedWord
from dragoman.engines.whisper.scheduler import OvertakenError, Scheduler, Urgency


class GatedModel:
    """Stands where the model stands: records batches, and waits at a gate so that work piles up behind it."""

    can_batch = True

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.batches: list[list[str]] = []
        self.encoded = 0

    def encode(
        self, samples: NDArray[np.float32], margin_frames: int | None = None, *, shared: bool = False
    ) -> Encoded:
        self.gate.wait(5)
        self.encoded += 1
        if samples.size == 0:
            raise RuntimeError("no samples")
        return Encoded(StorageView.from_array(samples), samples.size, samples.size)

    def language_probabilities(self, encoded: Encoded) -> dict[str, float]:
        return {"en": 1.0}

    def generate(self, jobs: Sequence[DecodeJob]) -> list[Decoded]:
        self.gate.wait(5)
        self.batches.append([job.language for job in jobs])
        if any(job.language == "bad" for job in jobs):
            raise RuntimeError("cannot decode")
        return [Decoded(job.language, (), 0.0, 0.0) for job in jobs]

    def align(self, job: DecodeJob, decoded: Decoded) -> list[TimedWord]:
        return []


def job(language: str, window: int = 100) -> DecodeJob:
    return DecodeJob(Encoded(StorageView.from_array(np.zeros(1, np.float32)), window, window), language)


def run(model: GatedModel, *jobs: DecodeJob, max_batch: int = 4) -> list[Decoded | BaseException]:
    return asked(model, *((each, Urgency.FINAL) for each in jobs), max_batch=max_batch)


def asked(
    model: GatedModel, *work: tuple[DecodeJob, Urgency], max_batch: int = 4, wait_s: float = 0.05
) -> list[Decoded | BaseException]:
    """Ask for work of some urgency while the worker is busy; return what came of it."""

    async def decode_all() -> list[Decoded | BaseException]:
        scheduler = Scheduler(model, max_batch)
        # The worker waits inside this one, while all others queue up.
        first = asyncio.create_task(scheduler.listen(np.ones(1, np.float32), Urgency.FINAL, identify=False))
        await asyncio.sleep(0)
        rest = asyncio.gather(*(scheduler.decode(*each) for each in work), return_exceptions=True)
        await asyncio.sleep(wait_s)
        model.gate.set()
        await first
        try:
            return await rest
        finally:
            scheduler.close()

    return asyncio.run(decode_all())


def test_waiting_work_of_one_window_shares_a_batch() -> None:
    model = GatedModel()
    decoded = run(model, job("en"), job("de"), job("fr"))
    assert model.batches == [["en", "de", "fr"]]
    assert [each.text for each in decoded if isinstance(each, Decoded)] == ["en", "de", "fr"]


def test_other_windows_wait_for_their_own_batch() -> None:
    model = GatedModel()
    run(model, job("en", 100), job("de", 200), job("fr", 100))
    assert model.batches == [["en", "fr"], ["de"]]


def test_other_prompts_wait_for_their_own_batch() -> None:
    model = GatedModel()
    plain = DecodeJob(job("de").encoded, "de", timestamps=False)
    run(model, job("en"), plain, job("fr"))
    assert model.batches == [["en", "fr"], ["de"]]


def test_a_batch_has_a_limit() -> None:
    model = GatedModel()
    run(model, *(job(str(number)) for number in range(6)), max_batch=4)
    assert [len(batch) for batch in model.batches] == [4, 2]


def test_what_is_due_first_goes_first() -> None:
    model = GatedModel()
    windows = {Urgency.FILE: 100, Urgency.PARTIAL: 200, Urgency.EARLY: 300, Urgency.FINAL: 400}
    asked(model, *((job(urgency.name, window), urgency) for urgency, window in windows.items()))
    assert model.batches == [["FINAL"], ["EARLY"], ["PARTIAL"], ["FILE"]]


def test_work_of_one_shape_shares_a_batch_whatever_its_urgency() -> None:
    model = GatedModel()
    asked(model, (job("file"), Urgency.FILE), (job("partial"), Urgency.PARTIAL), (job("final"), Urgency.FINAL))
    assert model.batches == [["final", "partial", "file"]]


def test_a_partial_that_waited_too_long_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Urgency.PARTIAL, "_value_", 0.01)
    model = GatedModel()
    partial, final = asked(model, (job("partial"), Urgency.PARTIAL), (job("final"), Urgency.FINAL), wait_s=0.1)
    assert isinstance(partial, OvertakenError)
    assert isinstance(final, Decoded)
    assert model.batches == [["final"]]


def test_partials_of_all_streams_begin_together_and_share_a_batch() -> None:
    async def count() -> list[str]:
        scheduler = Scheduler(model, 4)

        async def show(name: str) -> None:
            begun[name] = threading.Event()
            await scheduler.listen(np.ones(1, np.float32), Urgency.PARTIAL, identify=False, begun=begun[name])
            await scheduler.decode(job(name), Urgency.PARTIAL)

        work = []
        for name in ("en", "de", "fr"):  # who is alone does not wait; the others wait for the next beat
            work.append(asyncio.create_task(show(name)))
            await asyncio.sleep(0.03)
        early = [name for name, event in begun.items() if event.is_set()]
        await asyncio.gather(*work)
        scheduler.close()
        return early

    model, begun = GatedModel(), dict[str, threading.Event]()
    model.gate.set()
    assert asyncio.run(count()) == ["en"]
    assert model.batches == [["en"], ["de", "fr"]]


def test_closing_waits_for_no_beat() -> None:
    async def close() -> None:
        model = GatedModel()
        model.gate.set()
        scheduler = Scheduler(model, 4)
        work = [
            asyncio.create_task(scheduler.listen(np.ones(1, np.float32), Urgency.PARTIAL, identify=False))
            for _ in range(3)
        ]
        await asyncio.sleep(0.05)
        await asyncio.to_thread(scheduler.close)
        await asyncio.gather(*work)

    asyncio.run(asyncio.wait_for(close(), 5))


@pytest.mark.parametrize("urgency", [Urgency.FINAL, Urgency.EARLY])
def test_how_late_finals_begin_is_known_and_forgotten(urgency: Urgency) -> None:
    async def wait() -> tuple[float, float, float]:
        model = GatedModel()
        scheduler = Scheduler(model, 1)
        first = asyncio.create_task(scheduler.listen(np.ones(1, np.float32), Urgency.FINAL, identify=False))
        await asyncio.sleep(0.05)
        idle_s = scheduler.delay_s
        second = asyncio.create_task(scheduler.decode(job("en"), urgency))
        await asyncio.sleep(0.3 + urgency.value)
        waiting_s = scheduler.delay_s
        model.gate.set()
        await asyncio.gather(first, second)
        done_s = scheduler.delay_s
        scheduler.close()
        return idle_s, waiting_s, done_s

    idle_s, waiting_s, done_s = asyncio.run(wait())
    assert idle_s < 0.1
    assert waiting_s > 0.25
    assert 0.2 < done_s <= waiting_s + 0.1


class MeetingModel(GatedModel):
    """Decodes nothing until three do."""

    def __init__(self) -> None:
        super().__init__()
        self.meeting = threading.Barrier(3)

    def generate(self, jobs: Sequence[DecodeJob]) -> list[Decoded]:
        self.meeting.wait(5)
        return [Decoded(job.language, (), 0.0, 0.0) for job in jobs]


def test_several_workers_work_at_once() -> None:
    async def decode_all() -> list[Decoded]:
        scheduler = Scheduler(MeetingModel(), 1, workers=3)
        try:
            return await asyncio.gather(*(scheduler.decode(job(name), Urgency.FINAL) for name in ("a", "b", "c")))
        finally:
            scheduler.close()

    assert [each.text for each in asyncio.run(decode_all())] == ["a", "b", "c"]


def test_texts_of_files_wait_for_the_encodings_of_others() -> None:
    class OrderedModel(GatedModel):
        def encode(
            self, samples: NDArray[np.float32], margin_frames: int | None = None, *, shared: bool = False
        ) -> Encoded:
            encoded = super().encode(samples, margin_frames, shared=shared)
            order.append("sound")
            return encoded

        def generate(self, jobs: Sequence[DecodeJob]) -> list[Decoded]:
            order.append("texts")
            return super().generate(jobs)

    async def work() -> None:
        model = OrderedModel()
        scheduler = Scheduler(model, 4)
        sound = np.ones(1, np.float32)
        first = asyncio.create_task(scheduler.listen(sound, Urgency.FILE, identify=False))
        await asyncio.sleep(0.05)  # it is begun
        texts = [asyncio.create_task(scheduler.decode(job(name), Urgency.FILE)) for name in ("en", "de")]
        sounds = [asyncio.create_task(scheduler.listen(sound, Urgency.FILE, identify=False)) for _ in range(2)]
        await asyncio.sleep(0.05)
        model.gate.set()
        await asyncio.gather(first, *texts, *sounds)
        scheduler.close()

    order: list[str] = []
    asyncio.run(work())
    assert order == ["sound", "sound", "sound", "texts"]


def test_a_failure_reaches_those_who_waited_for_it_and_nobody_else() -> None:
    model = GatedModel()
    failed, fine = run(model, job("bad", 100), job("en", 200))
    assert isinstance(failed, EngineFailedError)
    assert isinstance(fine, Decoded)


def test_a_failure_while_listening_is_an_engine_failure() -> None:
    model = GatedModel()
    model.gate.set()

    async def listen() -> None:
        scheduler = Scheduler(model, 1)
        try:
            with pytest.raises(EngineFailedError, match="no samples"):
                await scheduler.listen(np.zeros(0, np.float32), Urgency.FINAL, identify=False)
        finally:
            scheduler.close()

    asyncio.run(listen())


def test_cancelled_work_is_never_begun() -> None:
    model = GatedModel()

    async def cancel() -> None:
        scheduler = Scheduler(model, 4)
        first = asyncio.create_task(scheduler.listen(np.ones(1, np.float32), Urgency.FINAL, identify=False))
        second = asyncio.create_task(scheduler.listen(np.ones(1, np.float32), Urgency.FINAL, identify=False))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        model.gate.set()
        await first
        scheduler.close()

    asyncio.run(cancel())
    assert model.encoded == 1


def test_a_closed_scheduler_refuses_work_and_leaves_no_thread() -> None:
    async def close() -> None:
        scheduler = Scheduler(GatedModel(), 1)
        scheduler.close()
        scheduler.close()
        with pytest.raises(EngineFailedError, match="shut down"):
            await scheduler.decode(job("en"), Urgency.FINAL)

    before = set(threading.enumerate())
    asyncio.run(close())
    assert set(threading.enumerate()) <= before
