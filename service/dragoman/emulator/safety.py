"""The Content Safety door: prompt shields and harm categories, as far as the offline rules know them."""

from typing import Annotated, Final

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from dragoman.emulator.doors import Refused, checked
from dragoman.engines.safety.rules import RuleGuard

VERSIONS: Final = frozenset({"2023-10-01", "2024-09-01"})
_MOST_DOCUMENTS: Final = 5
_MOST_CHARACTERS: Final = 10_000
_CATEGORIES: Final = {"Hate": "hate", "SelfHarm": "self-harm", "Sexual": "sexual", "Violence": "violence"}
_SEVERE: Final = 6

_Version = Annotated[str, Query(alias="api-version")]
_Text = Annotated[str, Field(max_length=_MOST_CHARACTERS)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Shield(_Asked):
    prompt: _Text = Field(default="", alias="userPrompt")
    documents: list[str] = Field(default=[], max_length=_MOST_DOCUMENTS)


class _Analyze(_Asked):
    text: _Text
    categories: list[str] = list(_CATEGORIES)


def add_safety(app: FastAPI) -> None:
    """Add the routes."""
    guard, door = RuleGuard(), checked("safety")

    @app.post("/contentsafety/text:shieldPrompt", dependencies=[door])
    async def shield(asked: _Shield, version: _Version) -> JSONResponse:
        """Say which texts would give orders to a model."""
        _check(version)
        if sum(map(len, asked.documents)) > _MOST_CHARACTERS:
            raise Refused(400, "InvalidRequestBody", f"The documents may have {_MOST_CHARACTERS} characters in all.")
        prompt, *documents = await guard.attacks([asked.prompt, *asked.documents])
        found: list[JsonValue] = [{"attackDetected": each} for each in documents]
        return JSONResponse({"userPromptAnalysis": {"attackDetected": prompt}, "documentsAnalysis": found})

    @app.post("/contentsafety/text:analyze", dependencies=[door])
    async def analyze(asked: _Analyze, version: _Version) -> JSONResponse:
        """Say how harmful a text is, by category."""
        _check(version)
        (harm,) = await guard.harms([asked.text])
        found: list[JsonValue] = [
            {"category": name, "severity": _SEVERE if harm == _CATEGORIES.get(name) else 0} for name in asked.categories
        ]
        return JSONResponse({"blocklistsMatch": [], "categoriesAnalysis": found})


def _check(version: str) -> None:
    if version not in VERSIONS:
        raise Refused(404, "NotFound", f"The API version is not known here; the emulator speaks {', '.join(VERSIONS)}.")
