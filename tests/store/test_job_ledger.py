"""The ledger of jobs: one worker each, nothing lost with a worker, nothing done twice for one key."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from dragoman.domain.errors import JobConflictError
from dragoman.store.database import open_database
from dragoman.store.jobs import LEASE_S, MOST_ATTEMPTS, JobRecord, JobStore

PLACE = "here"


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(engine: Engine, clock: Clock) -> JobStore:
    return JobStore(engine, clock)


def job(number: int = 1, **more: str) -> JobRecord:
    made = JobRecord(f"j_{number}", "acme", "k", "hash", number, "{}", PLACE, "talk.mp3", 100)
    return replace(made, **more)  # type: ignore[arg-type] # all of these are text


def test_jobs_are_taken_in_the_order_in_which_they_came(jobs: JobStore) -> None:
    for number in (2, 1, 3):
        jobs.submit(job(number))
    assert jobs.claim("w", ["elsewhere"]) is None  # their files are not there
    taken = [each.job_id for _ in range(3) if (each := jobs.claim("w", [PLACE])) is not None]
    assert taken == ["j_1", "j_2", "j_3"]
    assert jobs.claim("w", [PLACE]) is None


def test_one_key_begins_one_job(jobs: JobStore) -> None:
    first, is_new = jobs.submit(job(1, idempotency_key="a"))
    again, is_new_again = jobs.submit(job(2, idempotency_key="a"))
    assert (is_new, is_new_again, again.job_id) == (True, False, first.job_id)
    assert jobs.submit(job(3, idempotency_key="a", tenant="other"))[1]
    with pytest.raises(JobConflictError):
        jobs.submit(job(4, idempotency_key="a", request_hash="another"))


def test_fifty_at_once_with_one_key_begin_one_job(engine: Engine) -> None:
    jobs, found = JobStore(engine), list[str]()

    def submit(number: int) -> None:
        found.append(jobs.submit(job(number, idempotency_key="a"))[0].job_id)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 50
    assert len(set(found)) == 1


def test_many_workers_share_the_jobs_and_none_has_two(engine: Engine) -> None:
    jobs, taken = JobStore(engine), list[str]()
    for number in range(40):
        jobs.submit(job(number))

    def work(name: str) -> None:
        while mine := jobs.claim(name, [PLACE]):
            taken.append(mine.job_id)
            assert jobs.finish(mine, "completed")

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"j_{number}" for number in range(40))


def test_the_job_of_a_dead_worker_is_taken_over_and_the_dead_one_changes_nothing(jobs: JobStore, clock: Clock) -> None:
    jobs.submit(job())
    first = jobs.claim("dead", [PLACE])
    assert first is not None
    assert jobs.claim("alive", [PLACE]) is None
    clock.now_ms += LEASE_S * 1_000
    assert jobs.beat(first, 5_000, 60_000, "s_1")  # slow, and not dead: nobody has taken it yet
    clock.now_ms += LEASE_S * 1_000 + 1
    second = jobs.claim("alive", [PLACE])
    assert second is not None
    assert (second.worker, second.attempts, second.done_ms) == ("alive", 2, 0)
    assert not jobs.beat(first, 9_000, 60_000, "s_1")
    assert not jobs.finish(first, "completed")
    assert jobs.finish(second, "completed")


def test_what_takes_workers_with_it_goes_behind_the_others_and_is_put_aside(jobs: JobStore, clock: Clock) -> None:
    jobs.submit(job(1))
    for attempt in range(1, MOST_ATTEMPTS + 1):
        taken = jobs.claim("w", [PLACE])
        assert taken is not None
        assert (taken.job_id, taken.attempts) == ("j_1", attempt)
        clock.now_ms += LEASE_S * 1_000 + 1
    jobs.submit(job(2))
    after = jobs.claim("w", [PLACE])
    assert after is not None
    assert after.job_id == "j_2"
    assert jobs.claim("w", [PLACE]) is None
    dead = jobs.get("j_1", "acme")
    assert dead is not None
    assert (dead.state, dead.error_code) == ("dead", "job_dead")


def test_a_worker_that_stops_gives_its_job_back_untried(jobs: JobStore) -> None:
    jobs.submit(job())
    first = jobs.claim("stopping", [PLACE])
    assert first is not None
    jobs.release(first)
    second = jobs.claim("next", [PLACE])
    assert second is not None
    assert second.attempts == 1
    jobs.release(first)  # too late: it is another's
    assert jobs.finish(second, "completed")


def test_a_cancelled_job_is_nobodys(jobs: JobStore) -> None:
    jobs.submit(job(1))
    jobs.submit(job(2))
    running = jobs.claim("w", [PLACE])
    assert running is not None
    for name in ("j_1", "j_2"):
        cancelled = jobs.cancel(name, "acme")
        assert cancelled is not None
        assert cancelled.state == "cancelled"
    assert not jobs.beat(running, 1, 2, "s_1")
    assert jobs.claim("w", [PLACE]) is None
    assert jobs.cancel("j_1", "other") is None
    assert jobs.cancel("j_9", "acme") is None


def test_a_tenant_sees_its_own(jobs: JobStore) -> None:
    jobs.submit(job(1))
    jobs.submit(job(2, tenant="other"))
    assert [each.job_id for each in jobs.list("acme", 10)] == ["j_1"]
    assert jobs.get("j_2", "acme") is None


def test_the_end_of_a_job_is_told_until_somebody_listens(jobs: JobStore, clock: Clock) -> None:
    jobs.submit(job(1, webhook_url="https://example.org/hook"))
    jobs.submit(job(2))
    for _ in range(2):
        taken = jobs.claim("w", [PLACE])
        assert taken is not None
        jobs.finish(taken, "failed", "audio_unreadable", "It is no audio.")
    hook = jobs.due_hook(1_000)
    assert hook is not None
    assert json.loads(hook.body)["error"] == {"code": "audio_unreadable", "message": "It is no audio."}
    assert jobs.due_hook(1_000) is None
    clock.now_ms += 1_000
    again = jobs.due_hook(1_000)
    assert again is not None
    assert again.attempts == 2
    clock.now_ms += 1_000
    assert jobs.due_hook(1_000) is None  # each pause is twice as long as the one before
    clock.now_ms += 1_000
    assert jobs.due_hook(1_000)
    jobs.told("j_1")
    clock.now_ms += 10_000_000
    assert jobs.due_hook(1_000) is None
