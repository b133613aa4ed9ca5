"""A server in which everything that can fail fails with what was said in its message, and that can be told to leak."""

import argparse
import asyncio
import gc
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

import structlog
from fastapi import FastAPI, Request, WebSocket
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from prometheus_client import Counter

from dragoman.api.app import create_app
from dragoman.api.run import run
from dragoman.api.traces import Traces
from dragoman.domain.errors import TranslationFailedError
from dragoman.domain.language import Locale, TargetLanguage
from dragoman.domain.speech import AudioInput, Heard, Hypothesis, TranscriptionRequest
from dragoman.engines.ports import Transcriber, Translator
from dragoman.pipeline.memory import Memory
from dragoman.pipeline.session import Session
from dragoman.pipeline.spec import SessionSpec
from dragoman.runtime import Runtime
from dragoman.settings import read_settings

FAILING = TargetLanguage("fr")
"""Nobody translates into it here."""


class Talkative:
    """An engine that fails after its first final, and says in its error what that was."""

    name = "talkative"

    def __init__(self, inner: Transcriber) -> None:
        self._inner = inner

    async def transcribe(
        self, audio: AsyncIterator[AudioInput], request: TranscriptionRequest
    ) -> AsyncGenerator[Heard, None]:
        async with aclosing(self._inner.transcribe(audio, request)) as heard:
            async for each in heard:
                yield each
                if isinstance(each, Hypothesis) and each.text:
                    raise RuntimeError(each.text)


class Untranslating:
    """A translator that fails in one language, with the text in its error."""

    name = "untranslating"

    def __init__(self, inner: Translator) -> None:
        self._inner = inner

    @property
    def targets(self) -> tuple[TargetLanguage, ...]:
        return self._inner.targets

    def supports(self, source: Locale, target: TargetLanguage) -> bool:
        return self._inner.supports(source, target)

    async def translate(
        self, text: str, source: Locale, targets: Sequence[TargetLanguage]
    ) -> Mapping[TargetLanguage, str | TranslationFailedError]:
        if FAILING in targets:
            raise ValueError(text)
        return await self._inner.translate(text, source, targets)


class CanaryRuntime(Runtime):
    """A runtime whose sessions fail when their source asks for it."""

    async def session(
        self,
        spec: SessionSpec,
        memory: Memory | None = None,
        arrived_s: Callable[[int], float | None] = lambda sample: None,
    ) -> Session:
        hearing = await self.transcriber()
        assert self.translator is not None
        return Session(
            spec,
            Talkative(hearing) if spec.source and "fail" in spec.source else hearing,
            Untranslating(self.translator),
            memory,
            arrived_s,
            self.steps.insight_client if spec.insight else None,
            self.steps.polish() if spec.polish else None,
        )


def add_failures(app: FastAPI, tracer: Traces) -> None:
    """Add routes that fail in every way there is, and one that leaks on purpose."""
    leaks = Counter("leaks", "What was leaked.", ["text"], registry=app.state.door.watch._registry)

    @app.post("/fail/{how}", include_in_schema=False)
    async def fail(how: str, request: Request) -> None:
        text = (await request.body()).decode()
        match how:
            case "request":
                raise ValueError(text) from KeyError(text)
            case "group":
                raise ExceptionGroup(text, [ValueError(text)])
            case "task":
                asyncio.create_task(_raise(text))  # noqa: RUF006 - that nobody keeps it is the point
                await asyncio.sleep(0.05)
                gc.collect()
            case "thread":
                thread = threading.Thread(target=_raise_now, args=(text,))
                thread.start()
                await asyncio.to_thread(thread.join)
            case "logged":
                with suppress(ValueError):
                    try:
                        _raise_now(text)
                    except ValueError as error:
                        logging.getLogger("a.library").warning("it failed: %s", error)
                        logging.getLogger("a.library").exception("it failed")
                        raise
            case "chatty":
                logging.getLogger("a.library").setLevel(logging.DEBUG)
                logging.getLogger("a.library").debug("sent %s", text)

    @app.websocket("/fail")
    async def broken(websocket: WebSocket) -> None:
        await websocket.accept()
        raise ValueError(await websocket.receive_text())

    @app.post("/leak/{where}", include_in_schema=False)
    async def leak(where: str, request: Request) -> None:
        text = (await request.body()).decode()
        match where:
            case "log":
                logging.getLogger("dragoman.leak").debug("heard %s", text)
            case "line":
                structlog.get_logger().debug("heard", text=text)
            case "span":
                tracer._tracer.start_span(text).end()
            case "label":
                leaks.labels(text).inc()


async def _raise(text: str) -> None:
    raise ValueError(text)


def _raise_now(text: str) -> None:
    raise ValueError(text)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--data", type=Path)
    chosen = parser.parse_args()
    provider = TracerProvider()
    with (chosen.data.parent / "spans.json").open("w", buffering=1) as spans:
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=spans)))
        tracer = Traces(provider.get_tracer("canaries"))
        app = create_app(CanaryRuntime(read_settings(data=chosen.data)), observer=tracer)
        add_failures(app, tracer)
        run(app, "127.0.0.1", chosen.port, "debug")


if __name__ == "__main__":
    main()
