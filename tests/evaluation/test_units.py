from dragoman.datasets.items import Reference
from dragoman.evaluation.units import Unit, pair
from dragoman.pipeline.transcript import Utterance


def said(start_ms: int, end_ms: int, text: str = "a", locale: str = "en-US", speaker: str | None = "A") -> Reference:
    return Reference(start_ms=start_ms, end_ms=end_ms, text=text, locale=locale, speaker=speaker)


def heard(
    start_ms: int, end_ms: int, text: str = "a", locale: str = "en-US", **more: dict[str, str | None]
) -> Utterance:
    return Utterance(
        utterance_id=f"u_{start_ms}",
        start_ms=start_ms,
        end_ms=end_ms,
        locale=locale,
        locale_confidence=None,
        changed_from=None,
        speaker=None,
        channel=None,
        text=text,
        confidence=None,
        words=(),
        translations=more.get("translations", {}),
    )


def spans(units: list[Unit]) -> list[tuple[int, int]]:
    return [(len(unit.references), len(unit.heard)) for unit in units]


def test_each_utterance_goes_to_what_was_said_then() -> None:
    units = pair([said(0, 1_000), said(2_000, 3_000)], [heard(50, 1_100), heard(1_950, 2_900)])
    assert spans(units) == [(1, 1), (1, 1)]


def test_what_runs_over_a_pause_holds_both_sides() -> None:
    assert spans(pair([said(0, 1_000), said(1_200, 2_000)], [heard(0, 2_000)])) == [(2, 1)]
    assert spans(pair([said(0, 2_000)], [heard(0, 900), heard(1_100, 2_000)])) == [(1, 2)]


def test_a_brush_with_the_neighbour_joins_nothing() -> None:
    units = pair([said(0, 1_000), said(1_050, 2_000)], [heard(0, 1_150), heard(1_150, 2_000)])
    assert spans(units) == [(1, 1), (1, 1)]


def test_a_faint_overlap_is_better_than_none() -> None:
    assert spans(pair([said(0, 1_000)], [heard(900, 2_000)])) == [(1, 1)]


def test_nothing_is_left_out() -> None:
    units = pair([said(0, 1_000), said(9_000, 9_500)], [heard(4_000, 5_000)])
    assert spans(units) == [(1, 0), (0, 1), (1, 0)]
    assert [unit.start_ms for unit in units] == [0, 4_000, 9_000]


def test_a_unit_has_a_language_and_a_speaker_if_it_is_one() -> None:
    one = Unit((said(0, 1), said(1, 2)), (heard(0, 2, locale="de-DE"), heard(2, 9, locale="fr-FR")))
    assert (one.locale, one.speaker, one.heard_locale) == ("en-US", "A", "fr-FR")
    two = Unit((said(0, 1), said(1, 2, locale="de-DE", speaker="B")), ())
    assert (two.locale, two.speaker, two.heard_locale) == (None, None, None)
