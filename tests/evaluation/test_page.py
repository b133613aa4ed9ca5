"""The page of a report: everything is on it, nothing is loaded, and no transcript can become a part of it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest

from dragoman.audio.clip import Clip
from dragoman.datasets.dataset import read_dataset
from dragoman.evaluation.figures import Estimate
from dragoman.evaluation.page import Banner, cut_clips, render
from dragoman.evaluation.report import (
    AlignedStep,
    Case,
    Confusion,
    DatasetSeen,
    ItemCounts,
    MetricSeen,
    Report,
)
from dragoman.resources import samples_folder
from tests.npm import installed

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload=alert(3) {{ 7 * 7 }} --><!--"
CATALOG = {
    "wer": MetricSeen(title="Word error rate", group="Transcription", better="lower", unit="share"),
    "lid_accuracy": MetricSeen(title="Right language", group="Languages", better="higher", unit="share"),
    "lid_f1": MetricSeen(title="F1 of languages", group="Languages", better="higher", unit="share"),
    "chrf/de": MetricSeen(title="chrF into de", group="Translation", better="higher", unit="score"),
    "chrf/fr": MetricSeen(title="chrF into fr", group="Translation", better="higher", unit="score"),
    "decode_ms_p95": MetricSeen(title="From heard to text, p95", group="Speed", better="lower", unit="ms"),
    "rtf": MetricSeen(title="Time by audio", group="Speed", better="lower", unit="ratio"),
    "usd_per_hour": MetricSeen(title="US dollars an hour", group="Cost", better="lower", unit="usd"),
    "answered": MetricSeen(title="Answers that hold", group="Answers", better="higher", unit="share"),
    "agreement": MetricSeen(title="Agreement of judges", group="Answers", better="higher", unit="number"),
    "failed": MetricSeen(title="Recordings that failed", group="Completeness", better="lower", unit="share"),
}
VALUES = {
    "lid_accuracy": 0.99,
    "lid_f1": 0.98,
    "chrf/de": 91.0,
    "chrf/fr": 93.0,
    "decode_ms_p95": 277.0,
    "failed": 0.25,
}


def figure(value: float | None, items: int = 4) -> Estimate:
    if value is None or items < 2:
        return Estimate(value=value, low=None, high=None, n=100 if value is not None else 0, items=items)
    return Estimate(value=value, low=0.9 * value, high=1.1 * value, n=100, items=items)


def sliced(**wers: tuple[float | None, int]) -> dict[str, dict[str, Estimate]]:
    return {
        value.replace("_", "-"): {"wer": figure(wer, items), "chrf/de": figure(90.0, items)}
        for value, (wer, items) in wers.items()
    }


def step(change: Literal["equal", "substitute", "delete", "insert"], said: str, heard: str) -> AlignedStep:
    return AlignedStep(change=change, said=said, heard=heard)


def case(item: str = "en_call.wav", said: str = "six hundred", steps: Sequence[AlignedStep] = ()) -> Case:
    return Case(
        item=item,
        channel=0,
        start_ms=1_000,
        end_ms=3_000,
        locale="en-US",
        heard_locale="fr-FR",
        said=said,
        heard="six hundert",
        errors=1,
        steps=tuple(steps),
    )


def item(name: str, errors: float, failure: str | None = None) -> ItemCounts:
    samples = {"decode_ms": tuple(float(each) for each in range(20, 400, 5))}
    return ItemCounts(item=name, failure=failure, sums={"words": (errors, 50.0)}, samples=samples)


def report(
    *,
    metrics: Mapping[str, Estimate] | None = None,
    slices: Mapping[str, Mapping[str, Mapping[str, Estimate]]] | None = None,
    confusion: Confusion | None = None,
    worst: Sequence[Case] = (),
    items: Sequence[ItemCounts] | None = None,
    name: str = "samples",
    notes: Mapping[str, str] | None = None,
) -> Report:
    return Report(
        stage="speech",
        created=datetime(2026, 11, 22, 17, 37, tzinfo=UTC),
        dataset=DatasetSeen(name=name, version="057c871fcc0b", items=4, audio_s=1_637.4),
        candidate={"dragoman": "0.1.0", "model": "micro", "model_digests": {"whisper-micro": "d06ecdb151f8"}},
        machine={"system": "Linux x86_64", "cores": "2", "python": "3.11.7"},
        catalog=CATALOG,
        metrics=metrics if metrics is not None else {each: figure(VALUES.get(each, 0.05)) for each in CATALOG},
        slices=slices or {},
        confusion=confusion,
        worst=tuple(worst),
        items=tuple(items if items is not None else [item("en_call.wav", 2), item("fr_call.wav", 0)]),
        notes=notes or {},
    )


FULL = report(
    slices={
        "language": sliced(de_DE=(0.01, 4), fr_FR=(0.08, 4), es_ES=(0.3, 1)),
        "recording": {"en_call.wav": {"wer": figure(0.04, 1)}, "fr_call.wav": {"wer": figure(0.0, 1)}},
    },
    confusion=Confusion(
        spoken=("de-DE", "fr-FR"), identified=("de-DE", "fr-FR", "none"), utterances=((9, 0, 1), (0, 7, 0))
    ),
    worst=[
        case(steps=[step("equal", "you get", "you get"), step("substitute", "kettle", "cettle"),
                    step("delete", "minutes", ""), step("insert", "", "euros")]),
        case("gone.wav"),
    ],
    items=[item("en_call.wav", 2), item("fr_call.wav", 0), item("bad.wav", 9, "audio_unreadable: No audio.")],
    notes={"source": "https://prices.example/list, of 2024-12-01"},
)  # fmt: skip


class Document(HTMLParser):
    """What a browser would make of a page: its elements, and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_every_metric_of_the_catalog_is_on_the_page() -> None:
    text = Document(render(FULL)).text
    assert [seen.title for seen in CATALOG.values() if seen.title not in text] == []
    assert {seen.group for seen in CATALOG.values() if seen.group not in text} == set()


def test_what_was_measured_is_told() -> None:
    text = Document(render(FULL)).text
    for told in ("057c871fcc0b", "27 minutes", "d06ecdb151f8", "22 November 2026, 17:37 UTC", "2024-12-01", "2 cores"):
        assert told in text


@pytest.mark.parametrize(
    "where", ["transcript", "item", "name", "slice", "locale", "failure", "title", "banner", "note"]
)
def test_hostile_text_is_text(where: str) -> None:
    page = hostile(where)
    document = Document(page)
    assert HOSTILE in document.text
    assert len(document.all("script")) == 1
    assert document.all("img") == []
    assert not [name for _, attributes in document.tags for name in attributes if name.startswith("on")]


def hostile(where: str) -> str:
    match where:
        case "transcript":
            return render(report(worst=[case(said=HOSTILE, steps=[step("substitute", HOSTILE, HOSTILE)])]))
        case "item":
            return render(report(worst=[case(HOSTILE)], items=[item(HOSTILE, 3)]), {0: Clip(b"mp3", 0, 1_000)})
        case "name":
            return render(report(name=HOSTILE))
        case "slice":
            return render(report(slices={HOSTILE: {HOSTILE: {"wer": figure(0.1)}, "b": {"wer": figure(0.2)}}}))
        case "locale":
            worst = case().model_copy(update={"locale": HOSTILE, "heard_locale": HOSTILE})
            confusion = Confusion(spoken=(HOSTILE,), identified=(HOSTILE,), utterances=((1,),))
            return render(report(worst=[worst], confusion=confusion))
        case "failure":
            return render(report(items=[item("a.wav", 1, HOSTILE)]))
        case "title":
            catalog = {**CATALOG, "wer": MetricSeen(title=HOSTILE, group=HOSTILE, better="lower", unit="share")}
            return render(report().model_copy(update={"catalog": catalog}))
        case "banner":
            return render(report(), banner=Banner(is_passed=False, title=HOSTILE, reasons=(HOSTILE,)))
        case _:
            return render(report(notes={HOSTILE: HOSTILE}))


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = render(FULL, {0: Clip(b"mp3", 0, 1_000)})
    document = Document(page)
    loaded = [
        value
        for _, attributes in document.tags
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}
    ]
    assert [each for each in loaded if each and not each.startswith(("data:", "#"))] == []
    assert document.all("link") == []
    style = page[page.index("<style>") : page.index("</style>")]
    assert not re.search(r"url\(|@import|https?:", style)
    policy = next(each["content"] for each in document.all("meta") if each.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_there_is_a_player_for_what_can_be_heard() -> None:
    players = Document(render(FULL, {0: Clip(b"mp3", 700, 15_700, is_cut=True)})).all("audio")
    assert [(each["preload"], each["src"]) for each in players] == [("none", "data:audio/mpeg;base64,bXAz")]
    assert Document(render(FULL)).all("audio") == []


def test_a_figure_that_nobody_knows_is_a_dash() -> None:
    text = Document(render(report(metrics={each: figure(None) for each in CATALOG}))).text
    assert "None" not in text
    assert "nan" not in text.lower().replace("dragoman", "")
    assert text.count("—") > len(CATALOG)


def test_a_metric_without_a_figure_is_still_told() -> None:
    assert "Word error rate" in Document(render(report(metrics={}))).text


@pytest.mark.parametrize(
    "bare",
    [
        report(slices={"language": {}}),
        report(slices={"language": {"de-DE": {}, "fr-FR": {}}}),
        report(slices={"language": sliced(de_DE=(None, 0), fr_FR=(None, 0))}),
        report(items=[]),
        report().model_copy(update={"catalog": {}, "metrics": {}, "machine": {}, "candidate": {}}),
        report().model_copy(update={"dataset": DatasetSeen(name="orders", version="0", items=16, audio_s=None)}),
        report(confusion=Confusion(spoken=("de-DE",), identified=("de-DE", "none"), utterances=((0, 0),))),
    ],
)
def test_a_page_without_this_or_that_is_whole(bare: Report) -> None:
    page = render(bare)
    ids = [attributes["id"] for _, attributes in Document(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.rstrip().endswith("</html>")


def test_sections_without_content_are_not_there() -> None:
    text = Document(render(report())).text
    for title in ("Which language was taken", "The worst there was", "Is everybody served alike", "What failed"):
        assert title not in text
        assert title in Document(render(FULL)).text


def test_the_worst_slice_is_marked_and_one_of_too_little_never_is() -> None:
    page = render(FULL)
    first = page[page.index('<table class="slices">') :].partition("</table>")[0]
    rows = re.findall(r'<tr(?: class="(\w+)")?><th scope="row">(.+?)</th>', first)
    assert rows == [("", "de-DE"), ("few", "es-ES"), ("worst", "fr-FR")]


def test_the_gate_stands_at_the_top() -> None:
    page = render(FULL, banner=Banner(is_passed=False, title="Stopped", reasons=("Too slow.",)))
    text = Document(page).text
    assert text.index("Stopped") < text.index("Too slow.") < text.index("Word error rate")
    assert 'class="banner stopped"' in page
    assert 'class="banner' not in render(FULL)


def test_clips_are_cut_from_the_dataset_and_what_is_gone_is_left_out() -> None:
    dataset = read_dataset(samples_folder() / "audio")
    gone = dataset.recordings[1].model_copy(update={"file": "gone.wav"})
    clips = asyncio.run(cut_clips(FULL, type(dataset)(dataset.card, (dataset.recordings[0], gone), (), dataset.root)))
    assert list(clips) == [0]
    assert (clips[0].start_ms, clips[0].end_ms) == (700, 3_300)


def test_a_page_of_many_items_stays_small() -> None:
    clips = {number: Clip(bytes(95_000), 0, 15_000, is_cut=True) for number in range(12)}
    many = report(worst=[case(f"{each}.wav") for each in range(12)], items=[item(f"{n}.wav", n) for n in range(2_000)])
    page = render(many, clips)
    assert len(page.encode()) < 2_000_000
    assert "1700 more" in page


@pytest.mark.slow
def test_axe_finds_no_violation_and_tables_can_be_sorted(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    from tests.web.captions_page import chromium

    axe = (installed(Path(__file__).parents[1] / "web") / "axe-core" / "axe.min.js").read_text()
    file = tmp_path / "report.html"
    file.write_text(render(FULL, {0: Clip(b"mp3", 0, 900)}, Banner(is_passed=True, title="Passed")), encoding="utf-8")
    with sync_playwright() as playwright, chromium(playwright, tmp_path, b"") as browser:
        page = browser.new_page()
        trouble: list[str] = []
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(file.as_uri())
        page.evaluate(axe)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 800})
                found = page.evaluate("axe.run()")["violations"]
                assert [(each["id"], node["html"]) for each in found for node in each["nodes"]] == [], (scheme, width)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
        names = page.locator("table[data-sortable] tbody th")
        assert names.all_inner_texts()[1:] == ["en_call.wav", "fr_call.wav"]
        page.get_by_role("button", name="Errors").click()
        page.get_by_role("button", name="Errors").click()
        assert names.all_inner_texts()[:2] == ["fr_call.wav", "en_call.wav"]
        assert trouble == []
