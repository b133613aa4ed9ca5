"""What people say of a session's texts goes in and comes out, and is erased with the session."""

import json
from collections.abc import Iterator

import pytest

from dragoman.store.scope import Scope
from tests.api.keyed import bearer
from tests.api.server import ServerProcess
from tests.api.test_past import audit, everything
from tests.api.test_tenants import refusal, uploaded

pytestmark = pytest.mark.slow

RATING = {"kind": "rating", "part": "transcript", "rating": 4}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("feedback") / "data"
    bearer(data, "first")
    with ServerProcess(data) as running:
        yield running


@pytest.fixture(scope="module")
def session_id(server: ServerProcess) -> str:
    """A session of the tenant ``first`` that nobody erases."""
    return uploaded(server, bearer(server.data, "first"))[1]


def given(server: ServerProcess, key: str, session_id: str, said: object) -> tuple[int, str]:
    return server.request("POST", f"/v1/sessions/{session_id}/feedback", said, Authorization=key)[:2]


def utterance(server: ServerProcess, key: str, session_id: str) -> str:
    body = server.get(f"/v1/transcripts/{session_id}", Authorization=key)[1]
    return str(json.loads(body)["utterances"][0]["utterance_id"])


def test_what_is_said_is_kept_and_told_by_whom_until_the_session_is_erased(server: ServerProcess) -> None:
    key = bearer(server.data, "first")
    _, session_id, _ = uploaded(server, key)
    spoken = utterance(server, key, session_id)
    correction = {
        "kind": "correction",
        "part": "transcript",
        "utterance_id": spoken,
        "text": "Zwetschgenknödel, bitte.",
        "locale": "de-AT",
        "comment": "He said Knödel.",
    }
    assert given(server, key, session_id, RATING)[0] == 201
    status, body = given(server, key, session_id, correction)
    assert status == 201
    actor = key.removeprefix("Bearer dgm_")[:8]
    kept = json.loads(server.get(f"/v1/sessions/{session_id}/feedback", Authorization=key)[1])["feedback"]
    assert [each["actor"] for each in kept] == [actor, actor]
    assert kept[1] == json.loads(body)
    assert {name: kept[1][name] for name in correction} == correction
    assert b"Zwetschgenkn" in everything(server.data)

    assert server.request("DELETE", f"/v1/transcripts/{session_id}", None, Authorization=key)[0] == 204
    for answer in (
        server.get(f"/v1/sessions/{session_id}/feedback", Authorization=key),
        given(server, key, session_id, RATING),
    ):
        assert (answer[0], refusal(answer[1])) == (410, "session_erased")
    told = [json.loads(line) for line in audit(server.data, "list", "-f", "jsonl").stdout.splitlines()]
    mine = [each for each in told if each["resource"] == session_id and each["action"].startswith("feedback")]
    assert [(each["action"], each["actor"]) for each in mine] == [
        ("feedback.give", actor),
        ("feedback.give", actor),
        ("feedback.read", actor),
    ]
    assert "Zwetschgenkn" not in json.dumps(told, ensure_ascii=False)


@pytest.mark.parametrize(
    ("said", "code", "cause"),
    [
        ({**RATING, "rating": 9}, "request_invalid", "less than or equal to 5"),
        ({**RATING, "kind": "shout"}, "request_invalid", "rating"),
        ({**RATING, "utterance_id": "u_99"}, "feedback_invalid", "no such utterance"),
        ({**RATING, "part": "insight"}, "feedback_invalid", "no insight"),
        ({**RATING, "part": "translation", "target": "nonsense!"}, "locale_invalid", "nonsense"),
    ],
)
def test_what_cannot_be_is_refused_with_its_cause(
    server: ServerProcess, session_id: str, said: dict[str, object], code: str, cause: str
) -> None:
    key = bearer(server.data, "first")
    status, body = given(server, key, session_id, said)
    assert (status, refusal(body)) == (422, code)
    assert cause in json.loads(body)["error"]["message"]


def test_who_may_not_read_transcripts_may_not_judge_them(server: ServerProcess, session_id: str) -> None:
    streamer = bearer(server.data, "first", Scope.STREAM)
    assert given(server, streamer, session_id, RATING)[0] == 401
    assert server.get(f"/v1/sessions/{session_id}/feedback", Authorization=streamer)[0] == 401


def test_a_reviewer_decides_and_only_of_its_own_tenant(server: ServerProcess) -> None:
    key, admin = bearer(server.data, "third"), bearer(server.data, "third", Scope.ADMIN, Scope.TRANSCRIPTS)
    rival = bearer(server.data, "rival", Scope.ADMIN, Scope.TRANSCRIPTS)
    _, session_id, _ = uploaded(server, key)
    correction = {
        "kind": "correction",
        "part": "transcript",
        "utterance_id": utterance(server, key, session_id),
        "text": "Zwetschgen.",
    }
    feedback_id = json.loads(given(server, key, session_id, correction)[1])["feedback_id"]

    def queue(who: str, state: str = "open") -> list[str]:
        answer = json.loads(server.get(f"/v1/feedback?state={state}", Authorization=who)[1])
        assert answer["entries"] == len(answer["feedback"])
        return [each["feedback_id"] for each in answer["feedback"]]

    def decide(who: str, decision: object) -> tuple[int, str]:
        return server.request("POST", f"/v1/feedback/{feedback_id}/review", decision, Authorization=who)[:2]

    assert (queue(key), queue(rival)) == ([feedback_id], [])
    assert decide(key, {"state": "accepted"})[0] == 401
    status, body = decide(rival, {"state": "accepted"})
    assert (status, refusal(body)) == (404, "feedback_unknown")
    for wrong in ({"state": "rejected"}, {"state": "accepted", "reason": "x"}, {"state": "open"}):
        assert decide(admin, wrong)[0] == 422
    status, body = decide(admin, {"state": "accepted", "text": "Zwetschke."})
    assert (status, json.loads(body)["should_be"], json.loads(body)["state"]) == (200, "Zwetschke.", "accepted")
    assert (queue(key), queue(key, "accepted")) == ([], [feedback_id])
    assert decide(admin, {"state": "rejected", "reason": "no"})[0] == 200
    assert queue(key, "rejected") == [feedback_id]
