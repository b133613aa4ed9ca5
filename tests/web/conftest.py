import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.api.server import ServerProcess
from tests.npm import installed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

    from tests.web.captions_page import CaptionsPage

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def playwright() -> Iterator["Playwright"]:
    """Playwright, for one module: while it runs, its thread has an event loop, and no other test could run one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: "Playwright", tmp_path_factory: pytest.TempPathFactory) -> Iterator["Browser"]:
    """A browser whose microphone hears ``SPOKEN``."""
    from tests.web.captions_page import SPOKEN, chromium, spoken

    with chromium(playwright, tmp_path_factory.mktemp("browser"), spoken(SPOKEN)) as browser:
        yield browser


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("served") / "data") as server:
        yield server


@pytest.fixture
def served_with_key(tmp_path: Path) -> Iterator[tuple[ServerProcess, str]]:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "dragoman", "keys", "create", "test", "--data", str(data)]
    key = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    with ServerProcess(data) as server:
        yield server, key


@pytest.fixture
def captions(browser: "Browser", server: ServerProcess) -> Iterator["CaptionsPage"]:
    """The page, with leave to use the microphone; nothing may go wrong on it, in its policy least of all."""
    from tests.web.captions_page import CaptionsPage

    with browser.new_context(permissions=["microphone"]) as context:
        page = CaptionsPage(context, server.url)
        yield page
        assert page.trouble == []


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the npm packages that these tests use."""
    return installed(HERE)
