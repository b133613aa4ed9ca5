"""The card says what is set and what was measured, and changes when these do."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from dragoman.cards.card import Card
from dragoman.cards.figures import STAGES, figures, file_of
from dragoman.cards.gathering import gather
from dragoman.cards.rendering import as_html, as_markdown
from dragoman.cli.card import card
from dragoman.evaluation.layout.numbers import interval, shown
from dragoman.evaluation.verdicts import read_baseline
from dragoman.resources import samples_folder
from dragoman.settings import settings_elsewhere


def made(**chosen: object) -> Card:
    return gather(settings_elsewhere(chosen))


def parts(made_card: Card) -> dict[str, str]:
    sections = re.split(r"^## ", as_markdown(made_card), flags=re.MULTILINE)[1:]
    return {title: text for title, _, text in (each.partition("\n") for each in sections)}


PLAIN = made()
AZURE = {"azure_endpoints": ("https://a.example.org",)}


@pytest.mark.parametrize("stage", STAGES)
def test_figures_are_those_of_the_files(stage: str) -> None:
    baseline = read_baseline(file_of(stage))
    assert baseline is not None
    assert baseline.measured is not None
    table = next(each.table for each in PLAIN.sections if each.title == "What was measured")
    assert table is not None
    rows = {row[1]: row for row in table.rows if row[0] == stage}
    failed = baseline.metrics["failed"]
    assert rows["items that failed"][2:4] == (shown(failed.value, "share"), interval(failed, "share"))
    assert {row[5:] for row in rows.values()} == {(baseline.measured, baseline.dataset)}
    if "wer" in baseline.metrics:
        assert rows["words wrong"][2] == shown(baseline.metrics["wer"].value, "share")


def test_what_was_measured_with_others_is_not_said_of_these() -> None:
    text = parts(made(beam_size=5))["What was measured"]
    assert "speech: what is committed was measured with another beam_size." in text
    assert "| speech |" not in text
    assert "| insight |" in text
    azure = parts(made(azure_endpoints=("https://speech.example.org",)))
    assert azure["What was measured"].startswith("\nNothing was measured with these models and settings.")
    assert "Differences between people and languages" not in azure


def test_another_model_has_another_digest_and_no_figures(tmp_path: Path) -> None:
    model = tmp_path / "ours"
    shutil.copytree(samples_folder() / "models" / "whisper-micro", model)
    (model / "README.md").write_text("# ours\n\n## Limits\n\nIt was never tried.\n\n## Licence\n\nMIT.\n")
    ours = parts(made(model=str(model)))
    assert "ours: It was never tried." in ours["Known limits"]
    assert "MIT" not in ours["Known limits"]
    before = re.search(r"whisper-micro \| speech \| ([0-9a-f]{12})", parts(PLAIN)["Models"])
    now = re.search(r"ours \| speech \| ([0-9a-f]{12})", ours["Models"])
    assert before is not None
    assert now is not None
    assert before[1] != now[1]
    assert "| speech |" not in ours["What was measured"]


@pytest.mark.parametrize(
    ("chosen", "title", "says"),
    [
        (AZURE, "Who does the work", "Azure AI Services at a.example.org, then"),
        (AZURE, "Where data goes and rests", "go to a.example.org"),
        (AZURE, "What is decided about safety", "Azure AI Content Safety"),
        (
            {"chat_endpoint": "https://c.example.org/v1", "chat_model": "gpt"},
            "Where data goes and rests",
            "language model at c.example.org",
        ),
        ({"chat_endpoint": "https://c.example.org", "chat_model": "gpt"}, "Models", "| gpt | what follows"),
        ({"retention_days": 30}, "How long data is kept", "insights, feedback | 30 days |"),
        ({"keep_audio": True, "retention_audio_days": 1}, "How long data is kept", "accepted audio | 1 day |"),
        ({"keep_audio": True}, "How long data is kept", "accepted audio | for ever |"),
        ({"retention_audit_days": 365}, "How long data is kept", "audit trail | 365 days |"),
        ({"database_url": "postgresql://u:secret@db.example.org/x"}, "Where data goes and rests", "PostgreSQL at"),
        ({"webhook_hosts": ("hooks.example.org",)}, "Where data goes and rests", "is told to hooks.example.org"),
        ({"model": "small"}, "Models", "| small | speech | not on this machine"),
        ({"contact": "team@example.org"}, "Contact", "report harm to: team@example.org"),
        ({}, "Contact", "DRAGOMAN_CONTACT"),
    ],
)  # fmt: skip
def test_the_card_changes_with_the_settings(chosen: dict[str, object], title: str, says: str) -> None:
    card = made(**chosen)
    text = parts(card)[title]
    assert says in text
    assert "secret" not in as_markdown(card)
    if chosen:
        assert says not in parts(PLAIN)[title]


class Page(HTMLParser):
    """Collects what a page shows, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href")]
        self.loads += [tag] if tag == "script" else []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_says_the_same_escapes_it_and_loads_nothing() -> None:
    card = made(contact="<script>alert(1)</script>")
    page = Page(as_html(card))
    assert page.loads == []
    shown_texts = " ".join(" ".join(page.texts).split())
    for section in card.sections:
        for text in (
            section.title,
            *section.says,
            *section.points,
            *sum((section.table.rows if section.table else ()), ()),
        ):
            assert " ".join(text.split()) in shown_texts


def test_a_card_can_be_written_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_CONTACT", "team@example.org")
    for name, begin in (("card.html", "<!doctype html>"), ("card.md", "# Transparency"), ("card.json", "{")):
        done = CliRunner().invoke(card, ["-o", str(tmp_path / name)], catch_exceptions=False)
        assert done.exit_code == 0
        assert (tmp_path / name).read_text().startswith(begin)
        assert "team@example.org" in (tmp_path / name).read_text()
    assert Card.model_validate(json.loads((tmp_path / "card.json").read_text())).sections


def test_without_any_candidate_nothing_is_claimed() -> None:
    (only,) = figures({})
    assert only.says == ("Nothing was measured with these models and settings.",)
