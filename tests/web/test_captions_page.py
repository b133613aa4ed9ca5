"""Captions as people see them: what a microphone hears in four languages, and what can be done with it."""

import json

import pytest
from playwright.sync_api import Browser, expect

from dragoman.domain.events import SessionEnded, TranscriptFinal
from tests.api.server import ServerProcess
from tests.calls import call
from tests.stream import checked
from tests.web.captions_page import READY_MS, SPOKEN, CaptionsPage

pytestmark = pytest.mark.slow

TALK = "<title>Talk</title><audio src='talk.wav'></audio>"
WATCH = """() => {
  window.seen = [];
  const captions = document.querySelector('#captions');
  new MutationObserver(() => {
    const tail = document.querySelector('#open .row .tail');
    if (tail?.textContent) seen.push({
      text: tail.parentElement.textContent,
      style: getComputedStyle(tail).fontStyle,
      finals: document.querySelectorAll('#finals .row').length,
    });
  }).observe(captions, { childList: true, subtree: true });
}"""


def test_a_microphone_is_captioned_in_four_languages(captions: CaptionsPage) -> None:
    captions.translate_into("English")
    captions.page.evaluate(WATCH)
    captions.start.click()
    captions.reaches("Live")
    expect(captions.log.locator(".row")).not_to_have_count(0, timeout=READY_MS)
    loudest = captions.page.evaluate(
        "async () => { let most = 0; for (let i = 0; i < 40; i++) { most = Math.max(most, level.value); "
        "await new Promise((wake) => setTimeout(wake, 50)); } return most; }"
    )
    assert loudest > 0.3
    expect(captions.log.locator(".row")).to_have_count(len(SPOKEN), timeout=90_000)
    captions.start.click()
    captions.reaches("Ended")

    rows = captions.rows()
    assert [row.badge for row in rows] == [sentence.locale[:2].upper() for sentence in SPOKEN]
    said = [row.text for row in rows]
    assert sum(sentence.text in said for sentence in SPOKEN) > len(SPOKEN) / 2
    english = [row.translations[0] for row in rows]
    assert all(english)
    assert sum(sentence.english in english for sentence in SPOKEN if sentence.english) >= 3
    assert captions.switches() == [f"{name} from here" for name in ("Spanish", "German", "French", "English")]

    seen = captions.page.evaluate("seen")
    assert any(each["finals"] == 0 and said[0].startswith(each["text"][:8]) for each in seen), "no partial came first"
    assert {each["style"] for each in seen} == {"italic"}

    events = checked(captions.events)
    assert [event.text for event in events if isinstance(event, TranscriptFinal)] == said
    ended = events[-1]
    assert isinstance(ended, SessionEnded)
    assert ended.ledger.accepted_samples == ended.ledger.final_samples
    expect(captions.sound).to_contain_text("nothing lost")
    expect(captions.page.locator("[data-part=delay]")).to_contain_text("p95")
    expect(captions.page.locator("[data-part=engine]")).to_have_text("whisper-micro")


def test_the_sound_of_another_tab_is_captioned(captions: CaptionsPage) -> None:
    talk, address = captions.page.context.new_page(), "http://localhost/talk"
    talk.route(address, lambda route: route.fulfill(content_type="text/html", body=TALK))
    talk.route(
        f"{address}.wav", lambda route: route.fulfill(content_type="audio/wav", body=call("de").path.read_bytes())
    )
    talk.goto(address)
    captions.page.bring_to_front()
    captions.page.get_by_text("Tab", exact=True).click()
    captions.start.click()
    captions.reaches("Live")
    talk.evaluate("document.querySelector('audio').play()")
    expect(captions.log.locator(".row")).to_have_count(1, timeout=READY_MS)
    captions.start.click()
    captions.reaches("Ended")
    assert captions.rows()[0].badge == "DE"


def test_a_file_is_captioned_and_saved_in_every_format(captions: CaptionsPage) -> None:
    captions.translate_into("English", "German")
    captions.choose_file(call("es").path)
    captions.start.click()
    captions.reaches("Ended")
    rows = captions.rows()
    assert len(rows) >= len(call("es").sentences)
    assert all(row.badge == "ES" and all(row.translations) and len(row.translations) == 2 for row in rows)
    assert captions.save("SRT").startswith("1\n00:00:00,")
    assert rows[0].text in captions.save("TXT")
    document = json.loads(captions.save("JSON"))
    assert [each["text"] for each in document["utterances"]] == [row.text for row in rows]
    captions.page.get_by_label("SRT and VTT in").select_option("English")
    captioned = " ".join(captions.save("VTT").split())
    assert captioned.startswith("WEBVTT")
    assert rows[0].translations[0] in captioned
    assert rows[0].text not in captioned


def test_the_keyboard_is_enough_and_a_reader_who_scrolls_up_is_left_there(captions: CaptionsPage) -> None:
    page, end = captions.page, captions.page.locator("#end")
    page.set_viewport_size({"width": 400, "height": 500})
    for _ in range(5):
        page.get_by_role("button", name="Larger text").click()
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    while not captions.start.evaluate("each => each === document.activeElement"):
        page.keyboard.press("Tab")
    assert captions.start.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    captions.reaches("Live")
    expect(captions.start).to_have_text("Stop")
    expect(page.locator("#device option:checked")).not_to_have_text("Usual microphone", timeout=READY_MS)
    expect(captions.log.locator(".row")).to_have_count(1, timeout=READY_MS)
    expect(end).to_be_in_viewport(timeout=READY_MS)

    page.keyboard.press("Home")
    jump = page.get_by_role("button", name="Jump to live")
    expect(jump).to_be_visible(timeout=READY_MS)
    expect(captions.log.locator(".row")).to_have_count(2, timeout=READY_MS)
    expect(end).not_to_be_in_viewport()
    jump.press("Enter")
    expect(end).to_be_in_viewport()
    expect(jump).to_be_hidden()

    captions.start.focus()
    page.keyboard.press("Escape")
    captions.reaches("Ended")
    expect(captions.start).to_be_focused()


def test_a_browser_that_does_not_convert_sends_at_its_own_rate(browser: Browser, server: ServerProcess) -> None:
    with browser.new_context(permissions=["microphone"]) as context:
        context.add_init_script(  # as Firefox does
            """const made = AudioContext.prototype.createMediaStreamSource;
            AudioContext.prototype.createMediaStreamSource = function (sound) {
              if (this.sampleRate === 16000) throw new DOMException('not supported', 'NotSupportedError');
              return made.call(this, sound);
            };"""
        )
        captions = CaptionsPage(context, server.url)
        captions.start.click()
        expect(captions.log.locator(".row")).not_to_have_count(0, timeout=READY_MS)
        captions.start.click()
        captions.reaches("Ended")
        assert captions.rows()[0].text == SPOKEN[0].text


def test_who_forbids_the_microphone_is_told_what_to_do(browser: Browser, server: ServerProcess) -> None:
    with browser.new_context() as context:
        captions = CaptionsPage(context, server.url)
        captions.start.click()
        expect(captions.problem).to_contain_text("Allow the microphone", timeout=READY_MS)
        captions.reaches("Stopped")
        expect(captions.start).to_have_text("Start")


def test_a_key_is_asked_for_once(browser: Browser, served_with_key: tuple[ServerProcess, str]) -> None:
    server, key = served_with_key
    with browser.new_context(permissions=["microphone"]) as context:
        captions = CaptionsPage(context, server.url)
        field = captions.page.get_by_label("Key", exact=True)
        captions.start.click()
        expect(field).to_be_focused(timeout=READY_MS)
        field.fill("dgm_00000000_wrong")
        field.press("Enter")
        expect(captions.page.get_by_role("dialog")).to_contain_text("does not open this door", timeout=READY_MS)
        field.fill(key)
        field.press("Enter")
        captions.reaches("Live")
        captions.start.click()
        captions.reaches("Ended")
        assert json.loads(captions.save("JSON"))["source"] == "microphone"
        assert captions.page.evaluate("localStorage.length + document.cookie.length") <= 1
        captions.page.reload()
        captions.start.click()
        captions.reaches("Live")
        captions.page.keyboard.press("Escape")
        captions.reaches("Ended")
