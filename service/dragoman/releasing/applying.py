"""Does what was planned, step by step; what was done is seen in the workspace, so that it can be done again."""

import time
from collections.abc import Callable
from typing import Final

from pydantic import JsonValue, ValidationError

from dragoman.domain.errors import ReleaseFailedError, WorkspaceFailedError
from dragoman.domain.insight import Insight
from dragoman.insight.answering import Answer
from dragoman.releasing.ledger import Ledger
from dragoman.releasing.plan import Plan, Step, plan
from dragoman.releasing.workspace import Called, Wanted, Workspace

_TRIES: Final = 5
_PAUSE_S: Final = 2.0


def apply(
    workspace: Workspace,
    wanted: Wanted,
    ledger: Ledger,
    began: Callable[[Step], None] = lambda step: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Plan:
    """Do what is to be done until the release answers in its slot; return what was planned.

    Killed between two steps and begun again, it does what is left. Each step is in the ledger when it is done.

    Raises:
        WorkspaceFailedError: if a step cannot be done.
        ReleaseFailedError: if the deployment does not answer as it should, or another rollout is under way.
    """
    version = wanted.identified.version
    first = planned = plan(workspace.look(wanted.release.endpoint, wanted), wanted)
    if planned.steps:
        ledger.add(
            version, "apply", {"slot": planned.slot, "evidence": wanted.evidence.digest, "tags": {**wanted.tags}}
        )
    for step in planned.steps:
        began(step)
        _do(step, planned, workspace, wanted, sleep)
        ledger.add(version, step.action, {"target": step.target})
    return first


def _do(step: Step, planned: Plan, workspace: Workspace, wanted: Wanted, sleep: Callable[[float], None]) -> None:
    endpoint = wanted.release.endpoint
    match step.action:
        case "register environment":
            workspace.register_environment(wanted)
        case "register model":
            workspace.register_model(wanted)
        case "create endpoint":
            workspace.create_endpoint(wanted.release)
        case "deploy" | "replace":
            workspace.deploy(wanted, planned.slot)
        case "check":
            _check(workspace, wanted, planned.slot, sleep)
        case "route":
            workspace.route(endpoint, {planned.slot: 100}, {})


def _check(workspace: Workspace, wanted: Wanted, slot: str, sleep: Callable[[float], None]) -> None:
    """Call the deployment, and find the version of its words in its answer.

    Raises:
        ReleaseFailedError: if it does not answer, or in other words than those that were evaluated.
    """
    release = wanted.release
    called = Called(0)
    for tried in range(_TRIES):
        if tried:
            sleep(_PAUSE_S * tried)
        called = _called(workspace, release.endpoint, slot, _question(release.flow))
        if called.status == 200:
            break
    if called.status != 200:
        raise ReleaseFailedError(
            f"The deployment '{slot}' answers {called.status or 'nothing'}, {_TRIES} times. Its logs say why: "
            f"az ml online-deployment get-logs --endpoint {release.endpoint} --name {slot}"
        )
    expected = wanted.identified.candidate["prompt"]
    try:
        told = called.answer[release.flow] if isinstance(called.answer, dict) else None
        made = Insight.model_validate(told) if release.flow == "insight" else Answer.model_validate(told)
    except (KeyError, ValidationError) as error:
        raise ReleaseFailedError(
            f"The deployment '{slot}' answers with something else than an '{release.flow}': is it the right image?"
        ) from error
    if made.prompt_version != expected:
        raise ReleaseFailedError(
            f"The deployment '{slot}' works with the words {made.prompt_version}, and {expected} were evaluated: "
            "its image does not read AZUREML_MODEL_DIR; build it from this version of Dragoman."
        )
    code = wanted.identified.subjects["package/dragoman"]
    if called.code is not None and called.code != code:  # a proxy may keep the header to itself
        raise ReleaseFailedError(
            f"The deployment '{slot}' runs the code {called.code[:12]}, and {code[:12]} was evaluated: build its image "
            "from this checkout, or evaluate what is in the image."
        )


def _called(workspace: Workspace, endpoint: str, slot: str, body: JsonValue) -> Called:
    try:
        return workspace.call(endpoint, slot, body)
    except WorkspaceFailedError:
        return Called(0)  # an endpoint that was just made is not known everywhere at once


def _question(flow: str) -> JsonValue:
    lines: list[JsonValue] = [
        {"id": "u_1", "text": "The kettle weighs 2 kilograms.", "locale": "en-US", "speaker": "A"},
        {"id": "u_2", "text": "Please send the kettle back by Friday.", "locale": "en-US", "speaker": "B"},
    ]
    asked: dict[str, JsonValue] = {"conversation": {"lines": lines}, "language": "en"}
    return asked if flow == "insight" else {**asked, "question": "How much does the kettle weigh?"}
