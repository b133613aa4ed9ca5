"""What drifts is proposed once, with what to add, what to run, and the gates that must be passed."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import JsonValue

from dragoman.cli.feedback import feedback
from dragoman.domain.errors import FeedbackInvalidError, FeedbackUnknownError
from dragoman.evaluating.rules import rules_of
from dragoman.monitoring.alerts import drift_readings
from dragoman.monitoring.drift import MIXES, Finding
from dragoman.monitoring.signals import SIGNALS
from dragoman.reviewing.proposals import KINDS, Drift, Proposal, as_markdown, propose
from dragoman.reviewing.queue import ReviewQueue
from dragoman.store.alerts import AlertRecord, AlertStore
from dragoman.store.audit import AuditTrail
from dragoman.store.sql import SqlStore
from tests.reviewing.spoken import corrected, keep, say
from tests.test_workflows import TARGETS, check


def finding(*what: str) -> Finding:
    return Finding(what, "ks", "drift", 400, 14, distance=0.3, usual=0.02, p=1e-9, before=0.9, after=0.7)


def alert(*what: str, since_ms: int = 7) -> dict[str, JsonValue]:
    """Return what a webhook is told of a finding."""
    (reading,) = drift_readings([finding(*what)], 2)
    return AlertRecord(reading.rule, reading.subject, True, since_ms, 2, reading.message).told()


def drift(*what: str, since_ms: int = 7) -> Drift:
    told = Drift.of_alert(json.loads(json.dumps(alert(*what, since_ms=since_ms))))
    assert told is not None
    return told


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore.open(f"sqlite:///{tmp_path / 'dragoman.db'}")
    yield store
    store.close()


def test_whatever_the_monitor_watches_has_a_kind() -> None:
    assert SIGNALS.keys() | MIXES == KINDS.keys()


@pytest.mark.parametrize(
    ("what", "kind", "command", "gates"),
    [
        (("confidence", "de-DE", "whisper"), "speech", "make train-whisper FURTHER=60", ("speech", "live")),
        (("confidence", "de-DE", "azure"), "speech", "--to custom-speech", ("speech", "live")),
        (("untranslated", "de-DE"), "translation", "--to custom-translator", ("translation", "speech")),
        (("groundedness",), "steps", "--to azure-openai", ("insight", "answer", "polish", "orders")),
        (("final_ms", "de-DE", "whisper"), "service", "dragoman doctor", ("live",)),
        (("engines",), "service", "dragoman doctor", ("live",)),
    ],
)
def test_every_kind_of_drift_has_its_training_and_its_gates(
    what: tuple[str, ...], kind: str, command: str, gates: tuple[str, ...]
) -> None:
    (proposal,) = propose([drift(*what)], [])
    assert proposal.kind == kind
    assert any(command in (act.command or "") for act in proposal.acts)
    assert tuple(gate.stage for gate in proposal.gates) == gates
    for gate in proposal.gates:
        assert rules_of(gate.stage).is_file()
    for act in proposal.acts:
        program, *words = shlex.split(act.command or "make demo")
        if program == "dragoman":
            check(words)
        else:
            assert words[0] in TARGETS


def test_drift_of_a_kind_is_one_proposal_and_the_same_drift_the_same() -> None:
    drifts = [drift("confidence", "de-DE", "whisper"), drift("suppressed", "de-DE", "whisper"), drift("groundedness")]
    proposals = propose(drifts, [])
    assert [(each.kind, len(each.drifts)) for each in proposals] == [("speech", 2), ("steps", 1)]
    assert [each.id for each in propose(reversed(drifts), [])] == [each.id for each in proposals]
    (later,) = propose([drift("groundedness", since_ms=8)], [])
    assert later.id != proposals[1].id


def test_what_people_said_of_it_is_counted(store: SqlStore) -> None:
    keep(store, "s_1", [("Eins.", 0.4), ("Zwei.", 0.4)], locale="de-DE")
    keep(store, "s_2", [("One.", 0.4)], locale="en-US")
    said = say(store, "s_1", corrected("Eines.", "u_1"))
    say(store, "s_1", corrected("Zwo.", "u_2"))
    say(store, "s_2", corrected("Won.", "u_1"))
    queue = ReviewQueue(store.engine)
    queue.accept(said, None)
    (proposal,) = propose([drift("confidence", "de-DE", "whisper")], queue.entries())
    assert [act.what for act in proposal.acts[:2]] == [
        "Review what people said of it: 1 wait.",
        "Make a version of what was accepted: 1 so far.",
    ]


def test_people_read_what_drifted_what_to_do_and_what_must_be_passed() -> None:
    (proposal,) = propose([drift("confidence", "de-DE", "whisper")], [])
    text = as_markdown(proposal)
    assert "- Confidence (de-DE, whisper): KS 0.30 (an ordinary day 0.02), mean 0.9 before, 0.7 now." in text
    assert "make train-whisper FURTHER=60" in text
    assert "- [ ] `speech`\n- [ ] `live`" in text
    assert f"dragoman feedback reenter {proposal.id}" in text


@pytest.mark.parametrize("told", [{"rule": "budget", "subject": "acme"}, {"rule": "drift", "state": "resolved"}])
def test_what_is_no_drift_is_not_proposed(told: dict[str, str]) -> None:
    assert Drift.of_alert({**told}) is None


def test_half_an_alert_is_refused() -> None:
    with pytest.raises(FeedbackInvalidError, match="message"):
        Drift.of_alert({"rule": "drift", "subject": "confidence", "since_ms": 7})


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(feedback, [*arguments, "--data", str(data)], catch_exceptions=False)


def test_alerts_that_fire_are_proposed_once_and_noted(store: SqlStore, tmp_path: Path) -> None:
    assert run(tmp_path, "propose").stdout == "Nothing drifts.\n"
    firing = AlertRecord("drift", "groundedness", True, 7, 2, "Claims that are borne out: less.")
    AlertStore(store.engine).change("drift", "groundedness", lambda _: firing, ())
    place = Path(run(tmp_path, "propose").stdout.strip())
    assert place.read_text().startswith(f"# {place.stem}: steps drifts (open)")
    assert run(tmp_path, "propose").stderr == f"{place.stem} was proposed already.\n"
    assert [entry.action for entry in AuditTrail(store.engine).entries()] == ["proposal.file"]
    file = tmp_path / "alert.json"
    file.write_text(json.dumps(alert("untranslated", "de-DE")))
    assert "translation drifts" in Path(run(tmp_path, "propose", str(file)).stdout.strip()).read_text()
    file.write_text("[]")
    with pytest.raises(FeedbackInvalidError, match="no alert"):
        run(tmp_path, "propose", str(file))


@pytest.mark.slow
def test_what_comes_of_it_enters_the_gate_again(store: SqlStore, tmp_path: Path) -> None:
    """The words that ship pass; a folder without any is stopped."""
    (proposal,) = propose([drift("groundedness")], [])
    fast = proposal.model_copy(update={"gates": tuple(each for each in proposal.gates if each.stage == "answer")})
    folder = tmp_path / "proposals"
    folder.mkdir()
    (folder / f"{proposal.id}.json").write_text(fast.model_dump_json())
    with pytest.raises(FeedbackUnknownError, match=proposal.id):
        run(tmp_path, "reenter", "p_0")
    done = run(tmp_path, "reenter", proposal.id, "-o", str(tmp_path / "evaluation"))
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, f"{proposal.id}: passed")
    kept = Proposal.model_validate_json((folder / f"{proposal.id}.json").read_text())
    assert (kept.state, [gate.is_passed for gate in kept.gates]) == ("passed", [True])
    assert "- [x] `answer`" in (folder / f"{proposal.id}.md").read_text()
    empty = tmp_path / "flow"
    empty.mkdir()
    stopped = run(tmp_path, "reenter", proposal.id, "-o", str(tmp_path / "evaluation"), "--flow", str(empty))
    assert (stopped.exit_code, stopped.stdout.splitlines()[-1]) == (1, f"{proposal.id}: stopped by answer")
    details = [entry.details for entry in AuditTrail(store.engine).entries() if entry.action == "proposal.judge"]
    assert [json.loads(each)["state"] for each in details] == ["passed", "stopped"]
