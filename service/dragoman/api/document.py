"""The OpenAPI document: every refusal of every operation, and bodies as they really are."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final, Literal, cast

from fastapi import FastAPI
from pydantic import BaseModel, JsonValue

from dragoman.api.bodies import OpenAiProblem, Problem
from dragoman.api.problems import retry_after_of, status_of_code
from dragoman.domain.errors import DragomanError

Shape = Literal["Problem", "OpenAiProblem"]
Json = dict[str, JsonValue]
Responses = dict[int | str, dict[str, object]]

OPENING: Final = (
    "budget_exhausted",
    "capacity",
    "draining",
    "engine_failed",
    "engine_refused",
    "language_unsupported",
    "model_missing",
    "quota_exceeded",
    "spool_full",
    "store_failed",
)
"""Why a session may not begin."""

UNREADABLE: Final = ("audio_empty", "audio_limit", "audio_unreadable", "language_limit", "locale_invalid")
"""Why a file cannot be heard, or not so."""

_ADMISSION: Final = ("key_refused", "origin_refused", "store_failed", "token_keys_missing")
_MODELS: Final[Mapping[str, type[BaseModel]]] = {"Problem": Problem, "OpenAiProblem": OpenAiProblem}
EVENT_STREAM: Final = "text/event-stream"
_TEXT: Final = {"schema": {"type": "string"}}
_EVENTS: Final = {
    "itemSchema": {
        "type": "object",
        "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
        "required": ["data"],
    }
}
"""As OpenAPI 3.2 says what an event of a stream is. Those that do not know it see that it is a stream."""
_RETRY_AFTER: Final[Json] = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}


class Documented(FastAPI):
    """An application whose document is complete."""

    def openapi(self) -> dict[str, object]:
        """Return the document."""
        if self.openapi_schema is None:
            self.openapi_schema = super().openapi()
            document = cast("Json", self.openapi_schema)
            schemas = cast("dict[str, Json]", _within(document, "components", "schemas"))
            for operation in _operations(document):
                _complete(operation, schemas)
            for schema in list(schemas.values()) + [body for each in _operations(document) for body in _bodies(each)]:
                _require_kind(schema, schemas)
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            for name, model in _MODELS.items():
                found = cast("Json", model.model_json_schema(ref_template="#/components/schemas/{model}"))
                schemas.update(cast("dict[str, Json]", found.pop("$defs", {})))
                schemas[name] = found
        return self.openapi_schema


def refused(*codes: str, shape: Shape = "Problem", invalid: int = 422) -> Responses:
    """Return the refusals of an operation by status, for the ``responses`` of its route.

    ``invalid`` is the status of what cannot be done as it was asked.
    """
    why: dict[int, list[str]] = {}
    for code in codes:
        status = status_of_code(code)
        why.setdefault(invalid if status == 422 else status, []).append(code)
    return {status: _refusal(status, found, shape) for status, found in sorted(why.items())}


def answered(status: int, *media_types: str, headers: Mapping[str, str] | None = None) -> Responses:
    """Return what an operation answers beside JSON: texts of these types, and headers with their descriptions."""
    answer: dict[str, object] = {}
    if media_types:
        answer["content"] = {each: _EVENTS if each == EVENT_STREAM else _TEXT for each in media_types}
    if headers:
        schema = {"type": "string"}
        answer["headers"] = {name: {"description": text, "schema": schema} for name, text in headers.items()}
    return {status: answer}


def _refusal(status: int, codes: list[str], shape: Shape) -> dict[str, object]:
    reasons = "; ".join(f"`{code}`: {_MEANINGS[code]}" for code in sorted(set(codes)))
    body = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
    response: dict[str, object] = {"description": f"{HTTPStatus(status).phrase}. {reasons}", "content": body}
    if any(retry_after_of(code) or code == "quota_exceeded" for code in codes):
        response["headers"] = {"Retry-After": _RETRY_AFTER}
    return response


def _operations(document: Json) -> Iterator[Json]:
    for path in cast("dict[str, dict[str, Json]]", document["paths"]).values():
        yield from path.values()


def _complete(operation: Json, schemas: dict[str, Json]) -> None:
    """Add what the framework does not know: who is refused, and that no form or address holds a null."""
    responses = _within(operation, "responses")
    if "security" in operation:
        for status, response in refused(*_ADMISSION).items():
            responses.setdefault(str(status), cast("JsonValue", response))
    if "400" in responses:  # another door's word for what is 422 elsewhere
        responses.pop("422", None)
    elif "422" in responses and "HTTPValidationError" in str(responses["422"]):
        responses["422"] = cast("JsonValue", _refusal(422, ["request_invalid"], "Problem"))
    for parameter in cast("list[Json]", operation.get("parameters", [])):
        _without_null(cast("Json", parameter["schema"]))
    for body in _bodies(operation):
        name = str(body.get("$ref")).rpartition("/")[2]
        if name.startswith("Body_"):  # the framework's name for the fields of a form
            for field in _within(schemas[name], "properties").values():
                _without_null(cast("Json", field))


def _within(value: Json, *names: str) -> Json:
    for name in names:
        value = cast("Json", value.setdefault(name, {}))
    return value


def _without_null(schema: Json) -> None:
    """Take null from what a schema allows: a parameter or a field of a form is there, or it is not."""
    options = cast("list[Json]", schema.get("anyOf", []))
    kept = [option for option in options if option.get("type") != "null"]
    if len(kept) < len(options) and len(kept) == 1:
        del schema["anyOf"]
        schema.update(kept[0])


def _bodies(operation: Json) -> Iterator[Json]:
    for content in cast("Json", cast("Json", operation.get("requestBody", {})).get("content", {})).values():
        yield _within(cast("Json", content), "schema")


def _require_kind(schema: Json, schemas: dict[str, Json]) -> None:
    """Say that what tells bodies of several kinds apart must be there: a default in each does not mean that."""
    if discriminator := cast("Json | None", schema.get("discriminator")):
        for reference in cast("dict[str, str]", discriminator["mapping"]).values():
            kind = schemas[reference.rpartition("/")[2]]
            required = cast("list[JsonValue]", kind.setdefault("required", []))
            if discriminator["propertyName"] not in required:
                required.append(discriminator["propertyName"])


def _meanings() -> dict[str, str]:
    """Return what codes mean: the first lines of the errors' docstrings, the first error's that has a code."""
    found: dict[str, str] = {}
    waiting = list(DragomanError.__subclasses__())
    while waiting:
        kind = waiting.pop(0)
        found.setdefault(kind.code, (kind.__doc__ or "").partition("\n")[0])
        waiting += kind.__subclasses__()
    return found


_MEANINGS: Final = _meanings()
