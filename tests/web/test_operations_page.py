"""The operators' page as operators see it: with calls under way, with a call of the past, and with a key or none."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dragoman.store.scope import Scope
from tests.api.keyed import key_of
from tests.api.server import ServerProcess
from tests.web.captions_page import READY_MS
from tests.web.operations_page import SCRIPTED, OperationsPage, filled, streaming
from tests.web.test_accessibility import violations

pytestmark = pytest.mark.slow

EVERYTHING = (Scope.ADMIN, Scope.METRICS, Scope.STREAM, Scope.TRANSCRIPTS)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("watched") / "data"
    filled(data)
    key_of(data, "default", Scope.METRICS)
    with ServerProcess(data) as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        yield context


@pytest.fixture(scope="module")
def axe(packages: Path) -> str:
    return (packages / "axe-core" / "axe.min.js").read_text()


def accessible(page: Page, axe: str) -> None:
    """Nothing is wrong, in light and dark colours, on a screen and on a telephone; nothing is scrolled sideways."""
    for scheme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        assert violations(page, axe) == [], f"{scheme}, {width} px"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_key_is_asked_for_and_only_one_that_opens_this_door_will_do(
    context: BrowserContext, watched: ServerProcess, axe: str
) -> None:
    operator = OperationsPage(context, watched.url)
    field = operator.page.get_by_label("Key", exact=True)
    expect(field).to_be_focused(timeout=READY_MS)
    assert violations(operator.page, axe) == []
    field.fill(key_of(watched.data, "acme", Scope.STREAM))
    field.press("Enter")
    expect(operator.page.get_by_role("dialog")).to_contain_text("needs the scope 'metrics'", timeout=READY_MS)
    field.fill(key_of(watched.data, "acme", Scope.METRICS))
    field.press("Enter")
    operator.reaches("Live")
    expect(operator.sessions).to_contain_text("call.wav")
    operator.page.reload()
    operator.reaches("Live")
    assert operator.page.evaluate("localStorage.length + document.cookie.length") == 0


def test_calls_that_are_under_way_are_seen(context: BrowserContext, watched: ServerProcess, axe: str) -> None:
    key = key_of(watched.data, "default", *EVERYTHING)
    operator = OperationsPage(context, watched.url, key)
    page = operator.page
    operator.reaches("Live")
    delays = page.locator("#plots .canvas").first
    expect(delays).to_have_attribute(
        "aria-label", "Delay of finals, last hour: p50 not measured yet; p95 not measured yet."
    )
    with streaming(watched.url, key, "mixed") as is_over:
        row = operator.sessions.locator("tr", has_text="mixed call")
        expect(row).to_contain_text("live", timeout=READY_MS)
        for shown in ("default", "continuous", "English", "whisper"):
            expect(row).to_contain_text(shown, timeout=READY_MS)
        page.wait_for_function(
            "/p50 now 0\\.\\d\\d s/.test(document.querySelector('#plots .canvas').ariaLabel)", timeout=READY_MS
        )
        expect(page.locator("#plots figure", has_text="Live streams").locator(".legend")).to_contain_text("streams1")
        assert operator.tile("Open sessions") == "1"

        link = row.get_by_role("link")
        link.focus()
        page.locator("#trouble summary").click()
        link.focus()
        operator.told_again(2)
        expect(link).to_be_focused()  # though the table was made anew
        expect(page.locator("#trouble details table")).to_be_visible()

        page.locator("#plots summary").first.press("Enter")
        expect(page.locator("#plots table").first).to_contain_text("newest first")
        accessible(page, axe)
        is_over.set()
    expect(row).to_contain_text("completed", timeout=READY_MS)
    assert operator.cells("ledger", "acme") == ["acme", "1", "10 s", "7.0 s", "2.0 s", "1.0 s", "0 s", "balances"]
    assert operator.cells("ledger", "default")[-2:] == ["0 s", "balances"]
    assert operator.cells("trouble", "audio_lost") == ["audio_lost", "error", "1"]
    assert operator.cells("engines", "transcription")[1:] == ["whisper", "well", "0"]
    assert operator.cells("costs", "acme")[1:3] == ["10 s", "20"]

    page.locator("#tenant").select_option("acme")
    expect(operator.sessions).not_to_contain_text("mixed call", timeout=READY_MS)
    assert operator.tile("Audio lost") == "2.0 s"
    page.get_by_role("button", name="Pause").click()
    operator.reaches("Paused")
    assert operator.trouble == []


def test_a_call_is_read_rated_and_corrected(context: BrowserContext, watched: ServerProcess, axe: str) -> None:
    key = key_of(watched.data, "readers", Scope.METRICS, Scope.STREAM, Scope.TRANSCRIPTS)
    operator = OperationsPage(context, watched.url, key)
    page = operator.page
    with streaming(watched.url, key, "de") as is_over:
        row = operator.sessions.locator("tr", has_text="de call")
        expect(row).to_contain_text("German", timeout=READY_MS)
        expect(row.locator("td").nth(7)).to_have_text(re.compile("[3-9]"), timeout=READY_MS)  # finals
        is_over.set()
    expect(row).to_contain_text("completed", timeout=READY_MS)
    session_id = row.get_by_role("link").get_attribute("title")
    body = watched.get(f"/v1/transcripts/{session_id}", Authorization=f"Bearer {key}")[1]
    first = json.loads(body)["utterances"][0]
    row.get_by_role("link").press("Enter")
    expect(page.get_by_role("heading", name="Session s_")).to_be_focused(timeout=READY_MS)
    button = page.locator("#intervals").get_by_role("button", name="German").first
    button.press("Enter")
    expect(button).to_be_focused()
    expect(operator.chosen.locator("blockquote").first).to_have_text(first["text"], timeout=READY_MS)
    expect(operator.chosen.locator("blockquote").nth(1)).to_have_text(first["translations"]["en"])
    expect(page.locator(".block.chosen")).to_have_count(1)
    assert page.locator("#intervals tbody tr").count() == page.locator("#picture .block").count()
    expect(page.locator("#insight")).to_contain_text("Summary")

    operator.chosen.get_by_role("button", name="4 good").first.press("Enter")
    expect(operator.chosen.locator(".told").first).to_contain_text("rated 4", timeout=READY_MS)
    operator.chosen.get_by_text("Correct the translation into English").click()
    field = operator.chosen.get_by_label("How it should read").nth(1)
    field.fill("What she really said.")
    operator.chosen.get_by_label("Comment").nth(1).fill("I was there.")
    operator.chosen.get_by_role("button", name="Keep it").press("Enter")
    expect(operator.chosen.locator(".told").nth(1)).to_contain_text("corrected: What she really said. (I was there.)")
    accessible(page, axe)

    page.set_viewport_size({"width": 1280, "height": 800})
    page.reload()
    page.locator("#picture .block.tone-0").first.click()
    expect(operator.chosen).to_contain_text("rated 4", timeout=READY_MS)
    whole = page.locator("#window").inner_text()
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator("#window")).not_to_have_text(whole)
    page.get_by_role("button", name="Later").click()
    assert page.locator("#intervals tbody tr").count() == page.locator("#picture .block").count()
    page.get_by_role("link", name="All sessions").click()
    expect(row.get_by_role("link")).to_be_focused(timeout=READY_MS)
    assert operator.trouble == []


def test_who_may_not_read_sees_where_the_audio_went_and_no_words(
    context: BrowserContext, watched: ServerProcess, axe: str
) -> None:
    for tenant, why in (("acme", "cannot be shown"), ("default", "its tenant’s to read")):
        key = key_of(watched.data, tenant, *([Scope.METRICS] if tenant == "acme" else [Scope.ADMIN]))
        operator = OperationsPage(context, watched.url, key, f"/operations#{SCRIPTED}")
        page = operator.page
        expect(page.locator("#picture .block")).to_have_count(7, timeout=READY_MS)
        page.locator("#picture .block.lost").click()
        expect(operator.chosen).to_contain_text("No engine could hear this audio.")
        page.locator("#picture .block.tone-0").click()
        expect(operator.chosen).to_contain_text(why)
        assert operator.chosen.locator("form, .points").count() == 0
        expect(page.locator("#marks")).to_contain_text("azure → whisper")
        expect(page.locator("#facts")).to_contain_text("Lost2.0 s")
    accessible(page, axe)


def test_another_tenants_session_is_not_there(context: BrowserContext, watched: ServerProcess, axe: str) -> None:
    operator = OperationsPage(
        context, watched.url, key_of(watched.data, "other", Scope.METRICS), f"/operations#{SCRIPTED}"
    )
    expect(operator.page.locator("#session-problem")).to_contain_text("no such session", timeout=READY_MS)
    operator.page.get_by_role("link", name="All sessions").click()
    expect(operator.sessions).to_contain_text("No session was open", timeout=READY_MS)
    assert violations(operator.page, axe) == []


@pytest.mark.nightly  # feed.test.js does it without a browser
def test_a_server_that_comes_back_is_followed_again(context: BrowserContext, watched: ServerProcess, axe: str) -> None:
    operator = OperationsPage(context, watched.url, key_of(watched.data, "acme", Scope.METRICS))
    operator.reaches("Live")
    watched.kill()
    operator.reaches("Reconnecting")
    expect(operator.page.get_by_role("alert").first).not_to_be_empty()
    assert violations(operator.page, axe) == []
    watched.start()
    operator.reaches("Live")
    expect(operator.page.get_by_role("alert").first).to_be_empty()
    assert operator.cells("ledger", "acme")[-1] == "balances"


def test_how_good_it_is_stands_below_the_board(context: BrowserContext, watched: ServerProcess, axe: str) -> None:
    operator = OperationsPage(context, watched.url, key_of(watched.data, "default", *EVERYTHING))
    page = operator.page
    operator.reaches("Live")
    promised = page.locator("#objectives tr", has_text="Finals within two seconds")
    expect(promised).to_contain_text("95 %", timeout=READY_MS)
    for panel in ("alerts", "drift", "budgets", "signals"):
        expect(page.locator(f"#{panel}")).not_to_be_empty()
    expect(page.locator("#monitor .plot .canvas").first).to_have_attribute("aria-label", re.compile("^Error budgets"))
    accessible(page, axe)
    with page.expect_request(lambda request: "monitor?hours=168" in request.url):
        page.locator("#hours").select_option("168")
