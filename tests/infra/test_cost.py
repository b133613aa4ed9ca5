"""What the README says that an environment costs is what the templates and prices come to."""

import pytest

from infra.cost import PROJECT, USUAL, report


def test_the_estimate_is_the_one_in_the_readme() -> None:
    assert report(USUAL) in (PROJECT / "infra" / "README.md").read_text(encoding="utf-8")


def test_twice_the_speech_costs_twice_as_much_and_the_rest_stays() -> None:
    once, twice = (report({"main": hours}).splitlines() for hours in (1_000.0, 2_000.0))
    amounts = [[row.split("|")[2].strip(" *") for row in rows if row.startswith("| ")] for rows in (once, twice)]
    usd = [[float(each.replace(",", "")) for each in column[1:-1]] for column in amounts]
    fixed, spoken = slice(0, 4), slice(5, 8)
    assert usd[0][fixed] == usd[1][fixed]
    assert [2 * each for each in usd[0][spoken]] == pytest.approx(usd[1][spoken], abs=1)  # in whole dollars
