"""``dragoman feedback``: what waits is listed, decided and made into datasets that can be evaluated."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli.feedback import feedback
from dragoman.datasets.store import DatasetStore
from dragoman.domain.errors import DatasetInvalidError, FeedbackUnknownError
from dragoman.domain.feedback import Rating
from dragoman.reviewing.building import part_of
from dragoman.store.spool import FileSpool
from dragoman.store.sql import SqlStore
from tests.reviewing.spoken import corrected, keep, say, sound

SESSION = next(name for name in (f"s_{number:032x}" for number in range(40)) if part_of(name, 0.3) == "test")


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(feedback, [*arguments, "--data", str(data)], catch_exceptions=False)


def spoken(data: Path) -> tuple[str, str]:
    """Keep a session of a tenant with its audio; return a correction and a rating of it."""

    async def audio() -> None:
        spool = FileSpool(data / "spool")
        await sound(spool, SESSION, 3)
        await spool.close()

    store = SqlStore.open(f"sqlite:///{data / 'dragoman.db'}")
    keep(store, SESSION, [("The parcel for Miss Shivon is late.", 0.4), ("Thank you.", 0.9)])
    asyncio.run(audio())
    said = say(store, SESSION, corrected("The parcel for Miss Siobhan is late."))
    rated = say(store, SESSION, Rating(part="transcript", utterance_id="u_2", rating=1, comment="She did not."))
    store.close()
    return said, rated


@pytest.mark.slow
def test_what_waits_is_listed_decided_and_built(tmp_path: Path) -> None:
    said, rated = spoken(tmp_path)
    head, *rows = run(tmp_path, "list").stdout.splitlines()
    assert head.split() == ["feedback", "impact", "state", "about", "says"]
    assert [row.split()[0] for row in rows] == [rated, said]
    shown = run(tmp_path, "show", said).stdout
    assert "- The parcel for Miss Shivon is late.\n+ The parcel for Miss Siobhan is late.\n" in shown
    assert run(tmp_path, "accept", said).stderr == "Accepted 1 entry.\n"
    run(tmp_path, "reject", rated, "--reason", "She did.")
    assert run(tmp_path, "list").stdout == "Nothing is open.\n"
    (kept,) = json.loads(run(tmp_path, "list", "--state", "rejected", "-f", "json").stdout)
    assert (kept["feedback_id"], kept["review"]["reason"]) == (rated, "She did.")
    done = run(tmp_path, "build", "corrections", "--consent", "terms of use")
    reference = done.stdout.strip()
    assert reference.startswith("corrections@")
    assert "dragoman evaluate corrections --split test" in done.stderr
    (item,) = DatasetStore(tmp_path / "datasets").open("corrections").recordings
    assert (item.session, item.split) == (SESSION, "test")
    again = json.loads(run(tmp_path, "build", "corrections", "--consent", "terms of use", "-f", "json").stdout)
    assert again["datasets"] == [
        {"dataset": reference, "is_new": False, "holds": "1 recording, 1.8 s, 1 utterance, en-US"}
    ]


def test_another_tenants_words_are_not_shown(tmp_path: Path) -> None:
    said, _ = spoken(tmp_path)
    assert run(tmp_path, "list", "--tenant", "rival").stdout == "Nothing is open.\n"
    for arguments in (("show", said), ("accept", said), ("reject", said, "--reason", "no")):
        with pytest.raises(FeedbackUnknownError):
            run(tmp_path, *arguments, "--tenant", "rival")


def test_nothing_accepted_is_no_dataset(tmp_path: Path) -> None:
    spoken(tmp_path)
    with pytest.raises(DatasetInvalidError, match="Nothing was accepted"):
        run(tmp_path, "build", "corrections", "--consent", "terms of use")
    assert run(tmp_path, "build", "corrections").exit_code == 2  # by what right?
