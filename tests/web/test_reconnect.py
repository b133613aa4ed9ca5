"""The server dies in the middle of a sentence; no word is lost, and none comes twice."""

import json
import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect

from dragoman.domain.events import SessionEnded, TranscriptFinal
from tests.api.server import ServerProcess
from tests.calls import call
from tests.stream import checked
from tests.web.captions_page import READY_MS, CaptionsPage, chromium, spoken

pytestmark = pytest.mark.slow

HEARD = call("mixed").sentences[:4]
"""The last is in another language."""


def test_a_killed_server_costs_no_word(playwright: Playwright, tmp_path: Path) -> None:
    truth = [each.text for each in HEARD]
    with (
        ServerProcess(tmp_path / "data") as server,
        chromium(playwright, tmp_path, spoken(HEARD)) as browser,
        browser.new_context(permissions=["microphone"]) as context,
    ):
        captions = CaptionsPage(context, server.url)
        captions.start.click()
        expect(captions.log.locator(".row")).to_have_count(1, timeout=READY_MS)
        expect(captions.open.locator(".row")).to_have_count(1, timeout=READY_MS)
        server.kill()
        captions.reaches("Reconnecting")
        expect(captions.sound).to_contain_text("kept here", timeout=READY_MS)
        server.start()
        captions.reaches("Live")
        expect(captions.sound).to_contain_text(re.compile("0:1[4-9] heard, nothing lost"), timeout=60_000)
        captions.start.click()
        captions.reaches("Ended")
        assert captions.connections >= 2

        said = [row.text for row in captions.rows()]
        assert len(said) == len(truth)
        assert all(SequenceMatcher(None, *pair).ratio() > 0.6 for pair in zip(said, truth, strict=True))
        events = checked(captions.events)
        assert [event.text for event in events if isinstance(event, TranscriptFinal)] == said
        ended = events[-1]
        assert isinstance(ended, SessionEnded)
        assert ended.reason == "completed"
        assert ended.ledger.accepted_samples == ended.ledger.final_samples > 16 * HEARD[-1].end_ms
        assert json.loads(captions.save("JSON"))["ledgers"] == [ended.ledger.model_dump()]
