"""The captions page in a real browser, with a recording as its microphone."""

import re
import shutil
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, WebSocket, expect

from dragoman.domain.audio import SAMPLE_RATE_HZ
from dragoman.domain.events import ConnectionClosing, EphemeralEvent, Event, message_from_json
from tests.calls import Sentence, call

READY_MS = 30_000
"""The longest that a busy machine may take for what should be immediate."""

_CALL = call("mixed").sentences
SPOKEN = tuple(_CALL[index] for index in (0, 1, 3, 6, 7, 9, 10, 12))
"""Enough of the mixed call for all its languages and switches: microphones cannot be hurried."""


def spoken(sentences: Sequence[Sentence]) -> bytes:
    """Return these sentences of the mixed call, each with half of the pauses around it."""
    pcm, end_ms = call("mixed").pcm(), [0, *(each.end_ms for each in _CALL)]
    start_ms = [*(each.start_ms for each in _CALL), len(pcm) // 32]
    cuts = [32 * ((end + start) // 2) for end, start in zip(end_ms, start_ms, strict=True)]
    return b"".join(pcm[cuts[at] : cuts[at + 1]] for at in map(_CALL.index, sentences))


@contextmanager
def chromium(playwright: Playwright, folder: Path, pcm: bytes) -> Iterator[Browser]:
    """Give a browser that hears ``pcm``, and then silence, whenever it opens its microphone."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("chromium is not installed: apt-get install --no-install-recommends chromium fonts-dejavu-core")
    microphone = folder / "microphone.wav"
    with wave.open(str(microphone), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(pcm + bytes(2 * SAMPLE_RATE_HZ))  # Chromium repeats the last 10 ms for ever
    arguments = [
        "--no-sandbox",  # tests may run as root
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        "--auto-select-tab-capture-source-by-title=Talk",
        "--autoplay-policy=no-user-gesture-required",
    ]
    browser = playwright.chromium.launch(
        executable_path=found,
        args=arguments,
        ignore_default_args=["--mute-audio"],  # it would mute tabs for us too
    )
    try:
        yield browser
    finally:
        browser.close()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the transcript."""

    badge: str
    text: str
    translations: tuple[str, ...]


class CaptionsPage:
    """The page as somebody uses it; ``events`` is what its connections brought, ``trouble`` what the console says."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.events: list[Event] = []
        self.trouble: list[str] = []
        self.connections = 0
        self.page.on("console", lambda message: self.trouble.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("websocket", self._connected)
        self.page.goto(url)
        expect(self.page.locator("#known")).to_contain_text("German", timeout=READY_MS)
        self.start = self.page.locator("#start")
        self.state = self.page.locator("[data-part=state]")
        self.sound = self.page.locator("[data-part=sound]")
        self.problem = self.page.get_by_role("alert")
        self.log = self.page.get_by_role("log")
        self.open = self.page.locator("#open")

    def translate_into(self, *languages: str) -> None:
        self.page.locator("summary").click()
        for language in languages:
            self.page.get_by_role("group", name="Translate into").get_by_label(language).check()
        self.page.locator("summary").click()

    def choose_file(self, path: Path) -> None:
        self.page.get_by_text("File", exact=True).first.click()
        self.page.set_input_files("#file", path)
        self.page.get_by_label("As fast as possible").check()

    def reaches(self, state: str, timeout_ms: int = READY_MS) -> None:
        expect(self.state).to_have_text(state, timeout=timeout_ms)

    def rows(self) -> list[Row]:
        return [
            Row(
                row.locator(".badge > span").first.inner_text(),
                row.locator(".said").inner_text(),
                tuple(row.locator(".translation > span:last-child").all_inner_texts()),
            )
            for row in self.log.locator(".row").all()
        ]

    def switches(self) -> list[str]:
        return self.log.locator(".switch").all_inner_texts()

    def save(self, format_name: str) -> str:
        with self.page.expect_download(timeout=READY_MS) as download:
            self.page.get_by_role("button", name=format_name).click()
        assert re.fullmatch(rf"captions-[\d-]+(\.\w+)?\.{format_name.lower()}", download.value.suggested_filename)
        return download.value.path().read_text(encoding="utf-8")

    def _connected(self, socket: WebSocket) -> None:
        self.connections += 1
        socket.on("framereceived", self._received)

    def _received(self, frame: str | bytes) -> None:
        message = message_from_json(frame)
        if isinstance(message, ConnectionClosing):
            return
        seqs = [event.seq for event in self.events if not isinstance(event, EphemeralEvent)]
        if isinstance(message, EphemeralEvent) or message.seq not in seqs:
            self.events.append(message)
