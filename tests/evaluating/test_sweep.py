"""Files of variants."""

from pathlib import Path

import pytest

from dragoman.domain.errors import SweepInvalidError
from dragoman.evaluating.sweep import read_sweep, settings_of
from dragoman.resources import flows_folder, samples_folder
from dragoman.settings import Settings

HEAD = 'stage = "insight"\n[[variants]]\nname = "a"\n'


def test_every_sweep_that_ships_can_be_read() -> None:
    files = [*flows_folder().glob("*/sweep.toml"), *samples_folder().glob("*/sweep.toml")]
    assert {read_sweep(file).stage for file in files} == {"insight", "speech"}
    for file in files:
        for variant in read_sweep(file).variants:
            assert isinstance(settings_of(Settings(), variant), Settings)


def test_words_lie_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(f'{HEAD}words = "short"\nsettings = {{ chat_temperature = 0.5 }}\n')
    (variant,) = read_sweep(tmp_path / "s.toml").variants
    assert variant.words == tmp_path / "short"
    assert settings_of(Settings(beam_size=3), variant).chat_temperature == 0.5
    assert settings_of(Settings(beam_size=3), variant).beam_size == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "stage"),
        ('stage = "dance"\n[[variants]]\nname = "a"\n', "no stage 'dance'"),
        (f'{HEAD}[[variants]]\nname = "a"\n', "same name"),
        (f"{HEAD}shots = -1\n", "shots"),
        ('stage = "insight"\n[[variants]]\nname = "../a"\n', "name"),
        ("stage = ", "cannot be read"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(SweepInvalidError, match=says):
        read_sweep(tmp_path / "s.toml")


@pytest.mark.parametrize(
    ("settings", "says"),
    [("{ beams = 5 }", "no setting 'beams'"), ("{ beam_size = 0 }", "beam_size"), ('{ device = "tpu" }', "device")],
)
def test_a_wrong_setting_is_named_with_its_variant(tmp_path: Path, settings: str, says: str) -> None:
    (tmp_path / "s.toml").write_text(f"{HEAD}settings = {settings}\n")
    (variant,) = read_sweep(tmp_path / "s.toml").variants
    with pytest.raises(SweepInvalidError, match=f"'a': .*{says}"):
        settings_of(Settings(), variant)
