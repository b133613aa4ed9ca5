"""Settings, models and committed figures → the card. Nothing in it is written down twice: it is read where it holds."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import JsonValue

from dragoman import __version__
from dragoman.assembly import translators_of
from dragoman.cards.card import Card, Section, Table, section
from dragoman.cards.figures import figures
from dragoman.domain.errors import DragomanError
from dragoman.evaluating.candidate import describe_chat, describe_engines
from dragoman.insight.content import Content, read_content
from dragoman.resources import BUNDLED_MODELS, digest_of, flows_folder, resolve_model
from dragoman.settings import Settings

_STEPS: Final = {
    "insight": "summary, topics, action items, open questions",
    "answer": "answers to questions about what was said",
    "polish": "finals read again",
}
_LIMITS: Final = re.compile(r"^## Limits$\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_POINT: Final = re.compile(r"^\s*[*-] ", re.MULTILINE)


def gather(settings: Settings) -> Card:
    """Return the card of a service with these settings; no endpoint is called.

    Raises:
        SettingsError, GateInvalidError: if prompts or baselines that ship cannot be read.
    """
    contents = {step: read_content(flows_folder() / step, step) for step in _STEPS}
    spoken = _languages(settings)
    return Card(
        title="Transparency note and model card of this Dragoman",
        made_by=f"Made by Dragoman {__version__} from its settings and committed figures: dragoman card.",
        sections=(
            _purpose(),
            _engines(settings),
            _models(settings),
            _spoken(settings, spoken),
            *_prompts(settings, contents),
            *figures(_candidates(settings, contents)),
            _limits(settings),
            _data(settings),
            _retention(settings),
            _safety(settings),
            _oversight(),
            _contact(settings),
        ),
    )


def _purpose() -> Section:
    return section(
        "What it is for",
        "It turns speech into text, says which language is spoken, translates, and says what follows from it.",
        points=(
            "For transcripts, captions, translations and notes that a person can check against what was said.",
            "Not for decisions about people without a person: on their rights, work, credit, health or guilt.",
            "Not for finding out who somebody is: speakers get labels, never names, and no voice is compared.",
            "Not for finding out what people feel: the mood of a conversation is guessed from words.",
        ),
    )


def _engines(settings: Settings) -> Section:
    azure = [f"Azure AI Services at {_host(endpoint)}" for endpoint in settings.azure_endpoints]
    local = f"the local model {settings.model}"
    translators = [folder.name for folder in translators_of(settings)]
    chat = f"{settings.chat_model} at {_host(settings.chat_endpoint)}" if settings.chat_endpoint else None
    insight = f"an endpoint at {_host(settings.insight_endpoint)}" if settings.insight_endpoint else "this process"
    rows = (
        ("speech to text, language", ", then ".join([*azure, local])),
        ("translation", ", then ".join([*azure, *translators]) or "none"),
        ("what follows from a conversation", f"{chat or 'sentences are selected, by no language model'}; in {insight}"),
        ("harm and orders to the model", "rules, then Azure AI Content Safety" if azure else "rules"),
    )
    return section(
        "Who does the work",
        "Each takes over where the one before it cannot, and every text names who made it.",
        table=Table(head=("task", "engines, first to last"), rows=rows),
    )


def _models(settings: Settings) -> Section:
    folders = [
        ("speech", Path(resolve_model(settings.model))),
        *(("translation", each) for each in translators_of(settings)),
    ]
    rows = []
    for task, folder in folders:
        digest = digest_of(folder)
        bundled = "bundled" if folder.name in BUNDLED_MODELS.values() or "translate-micro" in folder.name else "given"
        name = folder.name if digest else settings.model
        rows.append((name, task, digest or "not on this machine: fetched by its name", bundled if digest else "hub"))
    if settings.azure_endpoints:
        rows.append(
            ("Azure AI Speech and Translator", "speech, translation", "Azure's own: they change without us", "cloud")
        )
    if settings.chat_model:
        temperature = "" if settings.chat_temperature is None else f", temperature {settings.chat_temperature:g}"
        rows.append((settings.chat_model, f"what follows{temperature}", "the deployment's own", "cloud or server"))
    return section(
        "Models",
        "A digest changes with every byte of a model.",
        table=Table(head=("model", "for", "SHA-256, first twelve digits", "from"), rows=tuple(rows)),
    )


def _spoken(settings: Settings, spoken: tuple[tuple[str, ...], tuple[str, ...]] | None) -> Section:
    if spoken is None:
        says = (
            f"The local model {settings.model} is not on this machine or cannot be loaded: nobody knows its languages."
        )
        return section("Languages", says)
    locales, targets = spoken
    more = " Azure knows more of both." if settings.azure_endpoints else ""
    return section(
        "Languages",
        f"The local models hear {', '.join(locales)} and translate into {', '.join(targets) or 'none'}.{more}",
        "At the start of a stream at most 4 candidates are told apart, continuously at most 10.",
    )


def _prompts(settings: Settings, contents: Mapping[str, Content]) -> Iterator[Section]:
    rows = tuple(
        (step, _STEPS[step], content.version, str(len(content.examples))) for step, content in contents.items()
    )
    says = "Their words are files, reviewed like code; a version changes with every word."
    if settings.chat_endpoint is None:
        says += " No language model is set, so none reads them now."
    head = ("step", "says", "version of its words", "examples")
    yield section("Prompts", says, table=Table(head=head, rows=rows))


def _candidates(settings: Settings, contents: Mapping[str, Content]) -> dict[str, dict[str, JsonValue]]:
    engines, chat = describe_engines(settings), describe_chat(settings)
    steps: dict[str, dict[str, JsonValue]] = {
        step: {**chat, "prompt": content.version} for step, content in contents.items()
    }
    return {"speech": engines, "translation": engines, **steps, "orders": steps["insight"]}


def _limits(settings: Settings) -> Section:
    points = []
    for folder in (Path(resolve_model(settings.model)), *translators_of(settings)):
        readme = folder / "README.md"
        if readme.is_file() and (found := _LIMITS.search(readme.read_text(encoding="utf-8"))):
            told = [" ".join(_POINT.sub("", part).split()) for part in re.split(r"\n(?=\* )", found[1].strip())]
            points.append(f"{folder.name}: {' '.join(told)}")
    if settings.model in BUNDLED_MODELS:
        points.append(
            "No human voice was in any of the figures: how it does for people, accents and ages is not known."
        )
    if settings.azure_endpoints:
        points.append("No figure was measured with Azure; measure it with: dragoman evaluate")
    points.append(
        "What is said at the same time, far away or in noise is heard worse; names and numbers go wrong first."
    )
    points.append("A confidence is the engine's own guess and no probability of being right.")
    return section("Known limits", points=points)


def _data(settings: Settings) -> Section:
    cloud = [_host(endpoint) for endpoint in settings.azure_endpoints]
    points = [
        f"Audio and text go to {', '.join(cloud)}." if cloud else "Audio leaves this service for no other.",
    ]
    if settings.chat_endpoint:
        points.append(f"Transcripts and questions go to the language model at {_host(settings.chat_endpoint)}.")
    if settings.insight_endpoint:
        points.append(f"Transcripts go to the insight step at {_host(settings.insight_endpoint)}.")
    if settings.webhook_hosts:
        points.append(f"That a job is over, never what was said, is told to {', '.join(settings.webhook_hosts)}.")
    points += [
        f"Transcripts rest in {_database(settings)}, accepted audio in {_spool(settings)}.",
        "Callers show an API key" + (" or a token of Microsoft Entra" if settings.entra_audience else "")
        + "; each tenant sees its own only.",
        "No text and no audio is in logs, figures, traces or the audit trail.",
        "All of a session, or of a person, is erased on request, with its copies in datasets, and a tombstone stays.",
    ]  # fmt: skip
    return section("Where data goes and rests", points=points)


def _retention(settings: Settings) -> Section:
    default = settings.retention_days
    text_days = settings.retention_transcript_days or default
    said = [days for days in (settings.retention_audio_days or default, text_days) if days is not None]
    audio = _days(min(said, default=None)) if settings.keep_audio else "until the session ends"
    rows = (
        ("accepted audio", audio),
        ("transcripts, translations, insights, feedback", _days(text_days)),
        ("jobs", _days(settings.retention_job_days or default)),
        ("audit trail", _days(settings.retention_audit_days)),
        ("datasets, and models taught with them", "until somebody erases them; a model cannot forget"),
    )
    return section("How long data is kept", table=Table(head=("what", "how long"), rows=rows))


def _safety(settings: Settings) -> Section:
    judged = "our rules, and then Azure AI Content Safety," if settings.azure_endpoints else "our rules"
    return section(
        "What is decided about safety",
        points=(
            f"What reads like an order to the model is found by {judged} and withheld; the transcript keeps it.",
            "A claim that no utterance bears out is dropped and counted; so is one that would be harmful.",
            "An answer quotes what it rests on, or says that nothing does.",
            "Finals never change; what was read again stands beside what was heard.",
            "Every text names its engine; what a step withheld, dropped and blocked is in the insight.",
            "Releases need an evaluation that passed the gate; the gate's rules are files that are reviewed.",
        ),
    )


def _oversight() -> Section:
    return section(
        "Who watches",
        points=(
            "People rate and correct texts; only what a reviewer accepted is measured on or taught.",
            "What was done, by whom and to what is in a trail that is added to and never changed: dragoman audit.",
            "A change of a prompt, model or limit is a commit with its evaluation; a person accepts a baseline.",
            "A release is promoted step by step, and goes back when live quality falls.",
        ),
    )


def _contact(settings: Settings) -> Section:
    if settings.contact:
        return section("Contact", f"Ask, complain and report harm to: {settings.contact}")
    return section("Contact", "Nobody is named to ask or tell; name somebody with DRAGOMAN_CONTACT.")


def _languages(settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    from dragoman.runtime import Runtime

    if not Path(resolve_model(settings.model)).is_dir():
        return None  # a hub would be asked for it
    try:
        with Runtime(settings.model_copy(update={"azure_endpoints": ()})) as runtime:
            engine = asyncio.run(runtime.ready())
    except DragomanError:
        return None
    return engine.locales, engine.targets


def _host(endpoint: str | None) -> str:
    return urlsplit(endpoint or "").hostname or "an unknown host"


def _database(settings: Settings) -> str:
    url = settings.effective_database_url
    return "a SQLite file of this machine" if url.startswith("sqlite") else f"PostgreSQL at {_host(url)}"


def _spool(settings: Settings) -> str:
    return f"Blob Storage at {_host(settings.spool)}" if settings.spool else "files of this machine"


def _days(days: float | None) -> str:
    return "for ever" if days is None else f"{days:g} day{'s' * (days != 1)}"
