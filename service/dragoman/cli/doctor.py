"""``dragoman doctor``: what is installed, which engines can run, what is missing and how to get it."""

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final, Literal

import click

from dragoman.cli.exits import EXIT_FAILED, EXIT_OK
from dragoman.domain.errors import DragomanError

Verdict = Literal["ok", "missing", "broken"]

_MARKS: Final = {"ok": ("✓", "green"), "missing": ("–", "yellow"), "broken": ("✗", "red")}

_EXTRAS: Final = {
    "azure": (
        "Azure Speech and Translator",
        (
            "azure-cognitiveservices-speech",
            "azure-ai-contentsafety",
            "azure-ai-transcription",
            "azure-ai-translation-text",
            "azure-identity",
        ),
    ),
    "asr-local": ("OPUS-MT, NLLB and Argos translation models", ("sentencepiece",)),
    "serve": ("dragoman serve", ("fastapi", "uvicorn", "websockets", "sqlalchemy", "alembic", "python-multipart")),
    "chat": ("language models for what follows from a conversation", ("openai", "azure-identity")),
    "client": ("dragoman listen", ("websockets",)),
    "microphone": ("dragoman listen without a file", ("sounddevice",)),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``cure`` is what to do about it."""

    verdict: Verdict
    what: str
    detail: str
    cure: str = ""


@click.command()
@click.option("--model", "-m", metavar="MODEL", help="Check this model instead of the configured one.")
@click.option("--calibrate", is_flag=True, help="Try how many live sessions this machine bears, for 'dragoman serve'.")
def doctor(model: str | None, calibrate: bool) -> None:
    """Say what works here and what does not, and how to get what is missing.

    Exit code 1 if the main job, transcribing offline, cannot run.
    """
    if calibrate:
        _calibrate(model)
        return
    findings = []
    for finding in examine(model):
        mark, colour = _MARKS[finding.verdict]
        click.echo(f"{click.style(mark, fg=colour)} {finding.what:<22} {finding.detail}")
        if finding.cure:
            click.echo(f"  {'':<22} → {finding.cure}")
        findings.append(finding)
    sys.exit(EXIT_FAILED if any(finding.verdict == "broken" for finding in findings) else EXIT_OK)


def _calibrate(model: str | None) -> None:
    from dragoman.calibration import chosen, keep, trials
    from dragoman.settings import read_settings

    settings = read_settings(model=model)
    tried = []
    for trial in trials(settings):
        click.echo(f"threads {trial.threads:>2}, calls at once {trial.workers:>2}: {trial.speed:6.1f} × live streams")
        tried.append(trial)
    best = chosen(settings, tried)
    file = keep(settings, best)
    click.echo(
        f"{best.model}: threads {best.threads}, calls at once {best.workers}, {best.max_sessions} live sessions. "
        f"'dragoman serve' takes this from '{file}' where nothing else is set."
    )


def examine(model: str | None = None) -> Iterator[Finding]:
    """Yield findings in the order of a session: Python, decoder, recognition, translation, extras."""
    yield Finding("ok", "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield _decoder()
    yield from _whisper(model)
    yield _translation(model)
    yield from _azure()
    yield _chat()
    for extra, (purpose, packages) in _EXTRAS.items():
        missing = [package for package in packages if _version(package) is None]
        if missing:
            yield Finding("missing", extra, f"{purpose}: not installed", f"pip install 'dragoman[{extra}]'")
        else:
            yield Finding("ok", extra, f"{purpose}: {', '.join(f'{name} {_version(name)}' for name in packages)}")


def _decoder() -> Finding:
    import asyncio

    from dragoman.audio.decode import open_audio
    from dragoman.resources import samples_folder

    async def decode() -> str:
        async with open_audio(samples_folder() / "audio" / "mixed_call.wav") as audio:
            return f"{audio.info.codec} in {audio.info.container}"

    try:
        asyncio.run(decode())
    except DragomanError as error:
        return Finding("broken", "audio decoder", str(error), "reinstall with: pip install --force-reinstall av")
    return Finding("ok", "audio decoder", f"PyAV {_version('av')}, in a process of its own")


def _whisper(model: str | None) -> Iterator[Finding]:
    import asyncio

    try:
        from dragoman.runtime import Runtime
        from dragoman.settings import read_settings

        with Runtime(read_settings(model=model, translation_models=(), azure_endpoints=())) as runtime:
            engine = asyncio.run(runtime.ready())
    except DragomanError as error:
        yield Finding("broken", "whisper", str(error), "or use the bundled one: --model micro")
        return
    except ImportError as error:
        yield Finding("broken", "whisper", f"cannot be imported: {error}", "pip install --force-reinstall dragoman")
        return
    spoken = ", ".join(engine.locales) if len(engine.locales) <= 10 else f"{len(engine.locales)} languages"
    versions = f"faster-whisper {_version('faster-whisper')}, ctranslate2 {_version('ctranslate2')}"
    yield Finding("ok", "whisper", f"model {engine.model}: {spoken} ({versions})")
    if runtime.settings.model == "micro":
        yield Finding(
            "missing",
            "human speech",
            "the micro model knows only the synthetic voices of the samples",
            "use --model small (fetched when a model hub can be reached) or a folder",
        )


def _translation(model: str | None) -> Finding:
    from dragoman.assembly import translators_of
    from dragoman.engines.ctranslate.folder import describe
    from dragoman.settings import read_settings

    try:
        models = [describe(folder) for folder in translators_of(read_settings(model=model))]
    except DragomanError as error:
        return Finding("broken", "text translation", str(error), "check DRAGOMAN_TRANSLATION_MODELS")
    if not models:
        return Finding(
            "missing",
            "text translation",
            "no model; into English, Whisper translates",
            "set DRAGOMAN_TRANSLATION_MODELS or pass --translation-model FOLDER",
        )
    return Finding("ok", "text translation", ", ".join(model.folder.name for model in models))


def _azure() -> Iterator[Finding]:
    from dragoman.assembly import reach_azure
    from dragoman.settings import read_settings

    try:
        settings = read_settings()
        for endpoint in settings.azure_endpoints:
            try:
                yield Finding("ok", "azure", f"{endpoint}: {reach_azure(settings, endpoint)}")
            except DragomanError as error:
                cure = "the local models do the work meanwhile; check DRAGOMAN_AZURE_ENDPOINTS and who you are"
                yield Finding("missing", "azure", f"{endpoint}: {error}", cure)
    except DragomanError as error:
        yield Finding("broken", "azure", str(error), "check the DRAGOMAN_AZURE_… variables")


def _chat() -> Finding:
    from dragoman.settings import read_settings
    from dragoman.steps import Steps

    try:
        return Finding("ok", "what follows", Steps(read_settings()).reach_chat())
    except DragomanError as error:
        return Finding("missing", "what follows", str(error), "check the DRAGOMAN_CHAT_… variables")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
