"""Who does the work, in versions: what the audit trail says beside what was done."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from dragoman.assembly import translators_of
from dragoman.domain.caller import DEFAULT_TENANT
from dragoman.domain.errors import SettingsError
from dragoman.domain.messages import SessionWishes
from dragoman.resources import digest_of, flows_folder, resolve_model
from dragoman.settings import Settings
from dragoman.store.audit import AuditTrail

_VERSIONS: Final = "versions.change"
_STEPS: Final = ("insight", "answer", "polish")
_SPEECH_SDK: Final = "azure-cognitiveservices-speech"
_FILES_SDK: Final = "azure-ai-transcription"
_TRANSLATOR_SDK: Final = "azure-ai-translation-text"


@dataclass(frozen=True, slots=True)
class Versions:
    """What changes when these do: digests of local models and prompts, SDKs and APIs of Azure, deployments."""

    all: Mapping[str, str]

    def of_session(self, wishes: SessionWishes) -> dict[str, str]:
        """Return what a session with these wishes is done by."""
        names = ["speech"]
        names += ["translation"] if wishes.translate or wishes.insight else []
        names += ["chat", "prompt_insight"] if wishes.insight else []
        names += ["chat", "prompt_polish"] if wishes.polish else []
        return {name: self.all[name] for name in names}

    def of_answer(self) -> dict[str, str]:
        """Return what a question is answered by."""
        return {name: self.all[name] for name in ("chat", "prompt_answer")}


def read_versions(settings: Settings, dragoman: str) -> Versions:
    """Read what the settings of a version of ours choose; waits for the disk: local models are read to their ends."""
    is_cloud = bool(settings.azure_endpoints)
    whisper = _named("whisper", Path(resolve_model(settings.model)), settings.model)
    translators = [_named("ctranslate", folder, folder.name) for folder in translators_of(settings)]
    speech = [_sdk(_SPEECH_SDK), _sdk(_FILES_SDK)] if is_cloud else []
    translation = [_sdk(_TRANSLATOR_SDK)] if is_cloud else []
    return Versions(
        {
            "dragoman": dragoman,
            "speech": ", ".join([*speech, whisper]),
            "translation": ", ".join([*translation, *translators]) or "none",
            "chat": _chat(settings),
            **{f"prompt_{step}": _prompt(step) for step in _STEPS},
            **({"prompt_insight": f"at {settings.insight_endpoint}"} if settings.insight_endpoint else {}),
        }
    )


def note_change(trail: AuditTrail, versions: Versions) -> None:
    """Enter who does the work, if that is not who did it when a server of this database began before."""
    before = trail.last(_VERSIONS)
    told = json.loads(before.details) if before else {}
    changed = [name for name, each in versions.all.items() if told.get(name) != each]
    if changed:
        details = {**versions.all, "changed": ", ".join(changed)}
        trail.add(DEFAULT_TENANT, None, _VERSIONS, "server", details)


def _named(engine: str, folder: Path, name: str) -> str:
    """Return a local model by its name, and by what it is if it lies in a folder."""
    digest = digest_of(folder)
    return f"{engine} {name}@{digest}" if digest else f"{engine} {name}"


def _sdk(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def _chat(settings: Settings) -> str:
    if settings.chat_model is None:
        return "extractive"
    from dragoman.steps import is_azure_openai

    if settings.chat_endpoint is None or not is_azure_openai(settings.chat_endpoint):
        return settings.chat_model
    from dragoman.engines.chat.openai import API_VERSION

    return f"{settings.chat_model}, Azure OpenAI {API_VERSION}"


def _prompt(step: str) -> str:
    from dragoman.insight.content import read_content

    try:
        return read_content(flows_folder() / step, step).version
    except SettingsError:  # who needs it is told why
        return "unreadable"
