"""What schemathesis is told about our API beyond its document; it runs in a process of its own."""

import os
from typing import Final

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.checks import CheckContext

from tests.audio.corpus import wave
from tests.calls import call

_SPOKEN: Final = wave(call("en").pcm()[: 2 * 32_000])


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, object]) -> None:
    """Send audio and ask about a session that is there, where anything goes: random bytes never get that far."""
    body: object = case.body
    if not (_is_positive(case) and isinstance(body, dict)):
        return
    sent = body.get("file")
    if isinstance(sent, bytes) and len(sent) % 2:
        body["file"] = _SPOKEN
    if case.path == "/v1/answers" and len(str(body.get("question"))) % 2:
        body["sessions"] = [os.environ["KNOWN_SESSION"]]


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:
    """Leave out forms that are wrong in a type only: on the wire all fields are text, one of them or several."""
    body: object = case.body
    if _is_positive(case) or not isinstance(body, dict) or case.media_type != "multipart/form-data":
        return True
    raw = case.operation.schema.raw_schema
    content = raw["paths"][case.path][case.operation.method.lower()]["requestBody"]["content"]["multipart/form-data"]
    declared = raw["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]["properties"]
    return not any(_reads_as(value, declared[name].get("type")) for name, value in body.items() if name in declared)


def _reads_as(value: object, kind: str | None) -> bool:
    """Return whether a value that is not of a kind is written as one that is."""
    match kind:
        case "string" | "array":
            return not isinstance(value, str | bytes | list)
        case "boolean":
            return value in (0, 1) and not isinstance(value, bool)
        case _:
            return False


@schemathesis.check
def what_the_document_allows_can_be_read(ctx: CheckContext, response: Response, case: Case) -> None:
    """Find refusals that call a request misread, though it is what the document says.

    How fields must fit together (Pydantic calls that a value error) is more than a schema can say.
    """
    if _is_positive(case) and response.status_code in (400, 422):
        message = response.json()["error"]["message"]
        assert "cannot be read" not in message or "Value error" in message, message


def _is_positive(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive
