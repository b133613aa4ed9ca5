"""axe-core finds nothing to complain about, and the page fits a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.calls import call
from tests.web.captions_page import CaptionsPage

pytestmark = pytest.mark.slow


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]


def test_axe_finds_no_violation(captions: CaptionsPage, packages: Path) -> None:
    axe = (packages / "axe-core" / "axe.min.js").read_text()
    page = captions.page
    page.locator("summary").click()
    assert violations(page, axe) == []
    page.locator("summary").click()
    page.evaluate("document.querySelector('dialog').showModal()")
    assert violations(page, axe) == []
    page.keyboard.press("Escape")
    captions.translate_into("English", "German")
    captions.choose_file(call("mixed").path)
    captions.start.click()
    captions.reaches("Ended")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert violations(page, axe) == [], f"{scheme}, {width} px"
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_finals_are_announced_and_drafts_are_not(captions: CaptionsPage) -> None:
    assert captions.log.get_attribute("aria-live") == "polite"
    expect(captions.open).to_have_attribute("aria-hidden", "true")
    assert captions.log.locator("#open").count() == 0


def test_what_can_be_pressed_is_large_enough(captions: CaptionsPage) -> None:
    captions.page.set_viewport_size({"width": 320, "height": 640})
    captions.page.locator("summary").click()
    sizes = captions.page.evaluate(
        "() => [...document.querySelectorAll('button, select, summary, label:has(input), input[type=file]')]"
        ".filter((each) => each.checkVisibility()).map((each) => each.getBoundingClientRect())"
        ".map(({ width, height }) => Math.min(width, height))"
    )
    assert len(sizes) > 15
    assert min(sizes) >= 24
