"""What there is of a person is erased wherever it lies; the bytes are looked for."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, text

from dragoman.datasets.dataset import Dataset
from dragoman.datasets.items import Card, RecordingItem
from dragoman.datasets.objects import sha256_of
from dragoman.datasets.store import DatasetStore
from dragoman.domain.errors import HeldError, HoldUnknownError, SubjectUnknownError
from dragoman.jobs.erasing import Eraser, Places
from dragoman.jobs.retention import Keep, Retention
from dragoman.settings import Settings
from dragoman.store import tables
from dragoman.store.audit import AuditTrail
from dragoman.store.digest import subject_digest
from dragoman.store.erasure import compact, is_erased
from dragoman.store.erasures import erasure, waiting_erasures
from dragoman.store.job_files import FolderFiles, JobFiles
from dragoman.store.jobs import JobRecord, JobStore
from dragoman.store.ports import Books, SessionRecord
from dragoman.store.search import search
from dragoman.store.spool import FileSpool
from dragoman.store.sql import SqlStore
from dragoman.store.subjects import find, place_hold, release_hold, subjects_of
from tests.datasets.sounds import tone, write_wav
from tests.store.conftest import empty_database as empty_database
from tests.store.conftest import empty_file as empty_file
from tests.store.conftest import url as url
from tests.store.said import ended, final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.postgres import PostgresServer

CANARY = "zucchini"
SOUND = b"a canary that sings."
ANNA = "customer-4711"
MINE = subject_digest("acme", ANNA)


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore.open(url)
    yield store
    store.close()


def files_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


class World:
    """Everything there may be of a person, in a folder and a database."""

    def __init__(self, store: SqlStore, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.files = JobFiles(FolderFiles(folder / "jobs"))
        self.datasets = DatasetStore(folder / "datasets")
        self.jobs = JobStore(store.engine)

    @asynccontextmanager
    async def eraser(self) -> "AsyncIterator[Eraser]":
        spool = FileSpool(self.folder / "spool")
        try:
            yield Eraser(Places(self.store.engine, spool, self.files, self.datasets))
        finally:
            await spool.close()

    def session(self, session_id: str, subject: str | None, said: str, *, is_open: bool = False) -> None:
        async def body() -> None:
            whose = (subject_digest("acme", subject),) if subject else ()
            await self.store.create(SessionRecord(session_id, 1, "{}", tenant="acme", subjects=whose))
            await self.store.commit(session_id, [final(1, "u_1", session_id, said)], Books(1))
            if not is_open:
                await self.store.commit(session_id, [ended(2, session_id)], Books(1))
            spool = FileSpool(self.folder / "spool")
            audio = await spool.open(session_id)
            audio.append(SOUND if subject == ANNA else b"ab" * 20)
            await spool.close()

        asyncio.run(body())
        remark = {"feedback_id": f"f_{session_id}", "tenant": "acme", "session_id": session_id, "created_ms": 1}
        with self.store.engine.begin() as connection:
            connection.execute(
                insert(tables.feedback),
                {**remark, "kind": "rating", "part": "transcript", "rating": 1, "comment": said},
            )

    def job(self, job_id: str, subject: str) -> None:
        self.files.keep(job_id, BytesIO(SOUND))
        source = f"{CANARY}.wav" if subject == ANNA else "talk.wav"
        job = JobRecord(job_id, "acme", None, "hash", 1, "{}", self.files.place, source, 1)
        self.jobs.submit(job, (subject_digest("acme", subject),))

    def copied(self, session_id: str, hertz: float) -> None:
        path = write_wav(self.folder / "in" / f"{session_id}.wav", tone(0.2, hertz))
        item = RecordingItem(file=path.name, sha256=sha256_of(path), duration_ms=200, session=session_id, tenant="acme")
        dataset = Dataset(Card(name="copies"), (item,), (), path.parent)
        self.datasets.keep_files(dataset)
        self.datasets.keep(dataset)

    def forget(self, keep: Keep, now_ms: int = 10 * 86_400_000) -> dict[str, int]:
        async def body() -> dict[str, int]:
            async with self.eraser() as eraser:
                return dict(await Retention(eraser.places, keep).forget(now_ms))

        return asyncio.run(body())

    def erase(self, tenant: str = "acme") -> dict[str, object]:
        async def body() -> dict[str, object]:
            async with self.eraser() as eraser:
                return dict((await eraser.subject(tenant, ANNA, "key1")).told())

        return asyncio.run(body())


@pytest.fixture
def world(store: SqlStore, tmp_path: Path) -> World:
    world = World(store, tmp_path / "data")
    world.session("s_a1", ANNA, f"the {CANARY} of Anna")
    world.session("s_a2", ANNA, f"another {CANARY}")
    world.session("s_b1", "somebody", "the kettle")
    world.job("j_a", ANNA)
    world.job("j_b", "somebody")
    world.copied("s_a1", 400)
    return world


def test_all_of_a_person_is_erased_and_nothing_of_others(world: World) -> None:
    told = world.erase()
    engine = world.store.engine
    assert (told["state"], told["erased"]) == ("done", {"dataset_items": 1, "jobs": 1, "sessions": 2})
    assert search(engine, "acme", CANARY, 10) == []
    assert [is_erased(engine, each, "acme") for each in ("s_a1", "s_a2", "s_b1")] == [True, True, False]
    assert world.jobs.get("j_a", "acme") is None
    assert world.jobs.get("j_b", "acme") is not None
    left = files_of(world.folder / "spool") + files_of(world.folder / "jobs")
    assert SOUND not in files_of(world.folder / "spool")
    assert left.count(SOUND) == 1  # the other's job has a file like it
    assert world.datasets.open("copies").erased_items == 1
    assert find(engine, "acme", MINE).sessions == ()
    assert find(engine, "acme", subject_digest("acme", "somebody")).sessions == ("s_b1",)
    (entry,) = AuditTrail(engine).entries()
    assert (entry.action, entry.resource, entry.actor) == ("subject.erase", told["erasure_id"], "key1")
    assert erasure(engine, str(told["erasure_id"]), "other") is None
    with pytest.raises(SubjectUnknownError):
        world.erase()


def test_one_id_in_two_tenants_is_two_people(world: World) -> None:
    with pytest.raises(SubjectUnknownError):
        world.erase("other")
    assert len(find(world.store.engine, "acme", MINE).sessions) == 2
    assert waiting_erasures(world.store.engine) == []


def test_what_is_live_is_erased_when_it_has_ended(world: World) -> None:
    world.session("s_a3", ANNA, f"a live {CANARY}", is_open=True)
    told = world.erase()
    assert (told["state"], told["erased"]) == ("waiting", {"dataset_items": 1, "jobs": 1, "sessions": 2})
    assert world.erase()["erasure_id"] == told["erasure_id"]

    async def go_on() -> None:
        await world.store.commit("s_a3", [ended(2, "s_a3")], Books(1))
        async with world.eraser() as eraser:
            running = asyncio.create_task(eraser.run())
            while waiting_erasures(world.store.engine):  # noqa: ASYNC110 - another thread takes it away
                await asyncio.sleep(0.02)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(go_on())
    done = erasure(world.store.engine, str(told["erasure_id"]), "acme")
    assert done is not None
    assert (done.subject, done.counts["sessions"]) == (None, 3)
    assert search(world.store.engine, "acme", CANARY, 10) == []


@pytest.mark.parametrize(
    "target", [MINE, "s_a2", subject_digest("acme", "her daughter")], ids=["subject", "session", "other"]
)
def test_a_hold_keeps_everything_until_it_is_released(world: World, target: str) -> None:
    with world.store.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO subjects VALUES ('s_a2', :subject)"), {"subject": subject_digest("acme", "her daughter")}
        )
    hold = place_hold(world.store.engine, "acme", target, "case 17")
    with pytest.raises(HeldError, match="legal hold"):
        world.erase()
    assert len(find(world.store.engine, "acme", MINE).sessions) == 2
    world.forget(Keep(transcript_days=1, job_days=1))
    assert (world.jobs.get("j_a", "acme") is None) == (target != MINE)
    assert "s_a2" in find(world.store.engine, "acme", MINE).sessions
    assert not is_erased(world.store.engine, "s_a2", "acme")
    release_hold(world.store.engine, hold.hold_id)
    with pytest.raises(HoldUnknownError):
        release_hold(world.store.engine, hold.hold_id)
    assert world.erase()["state"] == "done"


def test_each_class_is_kept_for_its_own_time(world: World) -> None:
    def forgotten(**days: float) -> dict[str, int]:
        return {name: count for name, count in world.forget(Keep(**days)).items() if count}

    assert forgotten() == forgotten(audio_days=11, transcript_days=11, job_days=11) == {}
    assert forgotten(audio_days=1, transcript_days=11) == {"audio": 3}
    assert files_of(world.folder / "spool") == b""
    assert len(search(world.store.engine, "acme", CANARY, 10)) == 2
    assert forgotten(job_days=1) == {"jobs": 2}
    assert files_of(world.folder / "jobs") == b""
    assert forgotten(transcript_days=1) == {"transcripts": 3}
    assert search(world.store.engine, "acme", CANARY, 10) == []
    trail = AuditTrail(world.store.engine)
    told = [(each.action, each.resource) for each in trail.entries()]
    assert sorted(told) == sorted(
        [(f"{kind}.erase", f"s_{name}") for kind in ("audio", "transcript") for name in ("a1", "a2", "b1")]
        + [("job.erase", "j_a"), ("job.erase", "j_b")]
    )
    assert world.forget(Keep(audit_days=1), trail.retired + 2**50)["audit"] == len(told)
    assert trail.first_broken() is None


def test_copies_of_what_was_kept_long_enough_are_still_found(world: World) -> None:
    assert world.forget(Keep(transcript_days=1, job_days=1))["transcripts"] == 3
    assert world.datasets.open("copies").erased_items == 0
    assert world.erase()["erased"] == {"dataset_items": 1}
    assert world.datasets.open("copies").erased_items == 1
    assert subjects_of(world.store.engine, "s_a1") == ()
    with pytest.raises(SubjectUnknownError):
        world.erase()


def test_what_a_class_does_not_say_is_said_for_all() -> None:
    assert Keep.of(Settings(retention_days=30)) == Keep(30, 30, 30, None)
    said = {"audio": 7, "transcript": 90, "job": 1, "audit": 365}
    assert Keep.of(Settings.model_validate({f"retention_{name}_days": days for name, days in said.items()})) == Keep(
        7, 90, 1, 365
    )
    short = Settings(retention_days=30, retention_transcript_days=7)
    assert Keep.of(short).audio_days == 7  # never longer than its text
    assert Keep.of(Settings()) == Keep()


def test_no_id_of_a_person_is_stored(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert subjects_of(world.store.engine, "s_a1") == (MINE,)
    for table in ("subjects", "sessions", "jobs", "erasures", "audit"):
        with world.store.engine.connect() as connection:
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            assert ANNA not in json.dumps([list(map(str, row)) for row in rows])


@pytest.fixture
def on_disk(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Callable[[], bytes]:
    """Return what reads all that the database has on the disk."""
    if url.startswith("sqlite"):
        return lambda: b"".join(path.read_bytes() for path in tmp_path.glob("dragoman.db*"))
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return lambda: postgres.pages(url.rpartition("/")[2])


def test_no_page_of_the_database_holds_what_was_erased(world: World, on_disk: Callable[[], bytes]) -> None:
    assert CANARY.encode() in on_disk()
    world.erase()
    if world.store.engine.dialect.name == "postgresql":
        compact(world.store.engine)
    assert CANARY.encode() not in on_disk()
    assert b"kettle" in on_disk()
    assert [hit.final.session_id for hit in search(world.store.engine, "acme", "kettle", 10)] == ["s_b1"]
