import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.stability import Agreement


@pytest.mark.parametrize(
    ("readings", "shown"),
    [
        (["Guten"], ["|Guten"]),
        (["Guten", "Guten Tag"], ["|Guten", "Guten| Tag"]),
        (["Guten Tag", "Guten Tag Frau"], ["|Guten Tag", "Guten Tag| Frau"]),
        (["Guten Tag", "Gute Nacht Frau"], ["|Guten Tag", "|Gute Nacht Frau"]),
        # What was stable stays, whatever is read later.
        (["a b c", "a b c", "x y z w"], ["|a b c", "a b| c", "a b| z w"]),
        (["a b c", "a b c", "x"], ["|a b c", "a b| c", "a b|"]),
        (["a b", "a b", ""], ["|a b", "a| b", "a|"]),
        (["你好", "你好世界"], ["|你好", "你好|世界"]),
    ],
)
def test_two_readings_that_agree_make_a_prefix_stable(readings: list[str], shown: list[str]) -> None:
    agreement = Agreement()
    found = [agreement.read(text) for text in readings]
    assert [each.text[: each.stable_len] + "|" + each.text[each.stable_len :] for each in found] == shown


@given(st.lists(st.text(st.sampled_from("ab 你."), max_size=12)))
def test_a_stable_prefix_never_shrinks_and_never_changes(readings: list[str]) -> None:
    agreement = Agreement()
    stable = ""
    for text in readings:
        reading = agreement.read(text)
        assert reading.stable_len <= len(reading.text)
        assert reading.text.startswith(stable)
        assert reading.stable_len >= len(stable)
        stable = reading.text[: reading.stable_len]
