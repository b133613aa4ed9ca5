"""A rollout as it goes: stage by stage, back at once when it must, and on from where it was killed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dragoman.domain.errors import ChatFailedError, ReleaseFailedError, WorkspaceFailedError
from dragoman.releasing.applying import apply
from dragoman.releasing.evidence import sign, verify
from dragoman.releasing.ledger import Ledger
from dragoman.releasing.live import AnswerVerdict, Minute
from dragoman.releasing.promoting import Promoter, Promotion
from dragoman.releasing.rollout import Stage
from dragoman.releasing.rules import RolloutRules
from dragoman.releasing.watching import Watcher
from dragoman.releasing.workspace import Collected, Wanted
from tests.releasing.folder_workspace import FolderWorkspace, ToldFigures
from tests.releasing.made import NOW, Made, make
from tests.releasing.made import RULES as MADE_RULES

RULES = RolloutRules()
FAST = {50: 40.0, 90: 70.0, 95: 90.0, 99: 120.0}
STAGES = ["mirror 50 %", "10 %", "50 %", "100 %"]


class Stopped(BaseException):
    """A process that is killed here."""


class Rolling:
    """An endpoint whose blue is live, and whose green is to be."""

    def __init__(self, folder: Path) -> None:
        before = make(folder / "before")
        after = make(folder / "after", more="shots = 2")
        self.workspace = FolderWorkspace(folder / "workspace.json")
        self.figures = ToldFigures(self.workspace)
        self.ledger = Ledger(folder / "ledger.jsonl", "anna", lambda: NOW)
        self.wanted = Wanted(after.identified, after.verified(after.signed()))
        self.before = Wanted(before.identified, before.verified(before.signed()))
        self.verdict = AnswerVerdict(None, 1.0)
        self.judged: list[str] = []
        for wanted in (self.before, self.wanted):
            apply(self.workspace, wanted, self.ledger)
        self.workspace.calls.clear()
        self.figures.collection = lambda slot: [
            Collected(f"{slot}{at}", self.figures.now_s, None, None) for at in range(120)
        ]

    @property
    def promoter(self) -> Promoter:
        def judge(collected: object) -> dict[str, AnswerVerdict]:
            assert isinstance(collected, list)
            self.judged += [each.id for each in collected]
            return dict.fromkeys((each.id for each in collected), self.verdict)

        figures = self.figures
        return Promoter(self.workspace, figures, judge, self.ledger, figures.now, figures.sleep)

    @property
    def traffic(self) -> tuple[dict[str, int], dict[str, int]]:
        found = self.workspace.look("dragoman-insight")
        return dict(found.traffic), dict(found.mirror)

    def told(self, action: str) -> list[object]:
        return [entry.details.get("stage") for entry in self.ledger.entries() if entry.action == action]


@pytest.fixture
def rolling(tmp_path: Path) -> Rolling:
    return Rolling(tmp_path)


def test_what_is_good_gets_all_of_the_traffic(rolling: Rolling) -> None:
    promotion = rolling.promoter.promote(rolling.wanted)
    assert promotion.outcome == "released"
    assert [each.decision for each in promotion.judgements] == ["go on"] * 4
    assert rolling.traffic == ({"green": 100}, {})
    assert rolling.told("stage") == rolling.told("decision") == STAGES
    assert rolling.ledger.entries()[-1].action == "released"
    decided = next(entry for entry in rolling.ledger.entries() if entry.action == "decision")
    assert json.dumps(decided.details).count('"low"') == 3, "every decision is kept with its figures"
    calls = list(rolling.workspace.calls)
    assert rolling.promoter.promote(rolling.wanted) == Promotion("released", ())
    assert rolling.workspace.calls == calls


def test_what_is_live_because_nothing_else_was_is_released(rolling: Rolling) -> None:
    """A pipeline promotes what it applied, also the first time."""
    assert rolling.promoter.promote(rolling.before) == Promotion("released", ())


def test_what_has_nothing_beside_it_and_not_all_traffic_is_left_to_people(rolling: Rolling) -> None:
    rolling.workspace.delete("dragoman-insight", "blue")
    rolling.workspace.route("dragoman-insight", {}, {})
    with pytest.raises(ReleaseFailedError, match="nothing to compare it with"):
        rolling.promoter.promote(rolling.wanted)


def at_stage(rolling: Rolling, traffic: int, bad: Callable[[float], Minute]) -> None:
    """Let the new deployment be bad once it has so much of the traffic."""
    good = rolling.figures.minute

    def minute(slot: str, at_s: float) -> Minute:
        is_there = rolling.traffic[0].get("green", 0) >= traffic
        return bad(at_s) if slot == "green" and is_there else good(slot, at_s)

    rolling.figures.minute = minute


@pytest.mark.parametrize(
    ("bad", "because"),
    [
        (lambda at_s: Minute(at_s, 20, 9, FAST), "errors"),
        (lambda at_s: Minute(at_s, 20, 0, {50: 3_000.0, 95: 4_000.0}), "slower than 500 ms"),
    ],
)
@pytest.mark.parametrize("traffic", [0, 10, 50, 100])
def test_what_is_bad_goes_back_at_once(
    rolling: Rolling, bad: Callable[[float], Minute], because: str, traffic: int
) -> None:
    at_stage(rolling, traffic, bad)
    if traffic == 100 and because.startswith("slower"):  # nothing is beside it to be slower than
        at_stage(rolling, traffic, lambda at_s: Minute(at_s, 20, 0, {50: 11_000.0, 95: 12_000.0}))
        because = "slower than 10000 ms"
    promotion = rolling.promoter.promote(rolling.wanted)
    assert promotion.outcome == "rolled back"
    assert because in promotion.judgements[-1].reason
    assert len(promotion.judgements) == [0, 10, 50, 100].index(traffic) + 1
    assert rolling.traffic == ({"blue": 100}, {})
    last = rolling.ledger.entries()[-1]
    assert (last.action, last.details["to"]) == ("rolled back", "blue")
    with pytest.raises(ReleaseFailedError, match=r"was rolled back on 2026-11-22.*--again"):
        rolling.promoter.promote(rolling.wanted)


def test_poor_answers_go_back_too(rolling: Rolling) -> None:
    rolling.verdict = AnswerVerdict("inventing", 0.2)
    promotion = rolling.promoter.promote(rolling.wanted)
    assert promotion.outcome == "rolled back"
    assert "120 inventing" in promotion.judgements[-1].reason


def test_an_answer_is_judged_once_and_no_more_than_are_paid_for(rolling: Rolling) -> None:
    rolling.figures.collection = lambda slot: [
        Collected(f"{slot}{at}", 0, None, None) for at in range(int(rolling.figures.now_s - 1_000_000) // 2)
    ]
    promotion = rolling.promoter.promote(rolling.wanted, to=Stage(50, 0))
    assert promotion.outcome == "held"
    assert len(rolling.judged) == len(set(rolling.judged)) <= 2 * RULES.poor.judged


def test_without_data_nothing_goes_on(rolling: Rolling) -> None:
    rolling.figures.is_away = True
    promotion = rolling.promoter.promote(rolling.wanted)
    assert promotion.outcome == "held"
    assert "Azure Monitor is away" in promotion.judgements[-1].reason
    assert rolling.traffic == ({"blue": 100}, {"green": 50})
    rolling.figures.is_away = False
    assert rolling.promoter.promote(rolling.wanted).outcome == "released"


@pytest.mark.slow
def test_while_the_judge_is_away_failures_count_all_the_same(rolling: Rolling) -> None:
    def away(collected: object) -> dict[str, AnswerVerdict]:
        raise ChatFailedError("The judge is away.")

    at_stage(rolling, 10, lambda at_s: Minute(at_s, 20, 9, FAST))
    promoter = replace(rolling.promoter, judging=away)
    held = promoter.promote(rolling.wanted)
    assert (held.outcome, "The judge is away" in held.judgements[-1].reason) == ("held", True)
    rolling.workspace.route("dragoman-insight", {"blue": 90, "green": 10}, {})
    assert promoter.promote(rolling.wanted).outcome == "rolled back"


def test_a_candidate_that_was_signed_again_is_promoted_by_its_new_evidence(rolling: Rolling, tmp_path: Path) -> None:
    again = make(tmp_path / "after", more="shots = 2")
    proof = verify(signed_later(again), again.identified, MADE_RULES, again.trusted, NOW)
    anew = Wanted(rolling.wanted.identified, proof)
    assert anew.evidence.digest != rolling.wanted.evidence.digest
    with pytest.raises(ReleaseFailedError, match="with other evidence"):
        rolling.promoter.promote(anew)
    apply(rolling.workspace, anew, rolling.ledger)
    assert rolling.promoter.promote(anew).outcome == "released"


def signed_later(made: Made) -> bytes:
    _, envelope = sign(made.judged, made.identified, made.signer, NOW - timedelta(hours=1), "otto")
    return envelope.model_dump_json().encode()


def test_it_may_be_held_at_a_stage(rolling: Rolling) -> None:
    assert rolling.promoter.promote(rolling.wanted, to=Stage(0, 10)).outcome == "held"
    assert rolling.traffic == ({"blue": 90, "green": 10}, {})
    assert rolling.promoter.promote(rolling.wanted, to=Stage(50, 0)) == Promotion("held", ()), "it is past that"
    assert rolling.traffic == ({"blue": 90, "green": 10}, {})
    assert rolling.promoter.promote(rolling.wanted).outcome == "released"


def test_killed_at_any_call_it_goes_on_from_there(rolling: Rolling) -> None:
    def die(call: str) -> None:
        raise Stopped

    lives = 0
    while True:
        lives += 1
        assert lives < 10
        rolling.workspace.after = die
        try:
            outcome = rolling.promoter.promote(rolling.wanted).outcome
            break
        except Stopped:
            rolling.workspace.after = lambda call: None
            # It is there, and the ledger does not know: the stage is begun once more.
            rolling.promoter.promote(rolling.wanted, to=stage_now(rolling))
    assert outcome == "released"
    assert rolling.traffic == ({"green": 100}, {})
    assert rolling.told("stage") == STAGES


def stage_now(rolling: Rolling) -> Stage:
    traffic, mirror = rolling.traffic
    return Stage(mirror.get("green", 0), traffic.get("green", 0))


def test_going_back_is_tried_until_it_is_done(rolling: Rolling) -> None:
    at_stage(rolling, 10, lambda at_s: Minute(at_s, 20, 20, FAST))
    calls = 0

    def fail_the_way_back(call: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:  # mirror, then 10 %
            rolling.workspace.failing += ["route"] * 3

    rolling.workspace.after = fail_the_way_back
    assert rolling.promoter.promote(rolling.wanted).outcome == "rolled back"
    assert rolling.traffic == ({"blue": 100}, {})


def test_a_way_back_that_is_closed_is_said_loudly(rolling: Rolling) -> None:
    rolling.workspace.failing += ["route"] * 10
    with pytest.raises(WorkspaceFailedError):
        rolling.promoter.roll_back("dragoman-insight", "r", "blue", "somebody said so")


@pytest.mark.parametrize(
    ("minute", "decision"),
    [
        (lambda at_s: Minute(at_s, 20, 0, FAST), "go on"),
        (lambda at_s: Minute(at_s, 20, 9, FAST), "roll back"),
        (lambda at_s: Minute(at_s, 1, 0, FAST), "wait"),
    ],
)
def test_what_is_live_is_watched_by_the_same_limits(
    rolling: Rolling, minute: Callable[[float], Minute], decision: str
) -> None:
    rolling.figures.minute = lambda slot, at_s: minute(at_s)
    promoter = rolling.promoter
    watcher = Watcher(promoter.workspace, promoter.live, promoter.judging, promoter.ledger, promoter.now)
    slot, judgement = watcher.look(rolling.wanted.release, 1_800)
    assert (slot, judgement.decision) == ("blue", decision)
    last = rolling.ledger.entries()[-1]
    assert (last.action, last.release) == ("watched", rolling.before.identified.version)


def test_a_release_that_is_not_there_is_not_promoted(rolling: Rolling, tmp_path: Path) -> None:
    other = make(tmp_path / "other", more="shots = 3")
    with pytest.raises(ReleaseFailedError, match=r"is not deployed.*release apply"):
        rolling.promoter.promote(Wanted(other.identified, other.verified(other.signed())))
