"""The wheel, installed where nothing of the checkout can be seen, does the main job."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment that holds the wheel; third-party packages are shared with ours."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    (wheel,) = folder.glob("*.whl")
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A .pth of our environment would bring the checkout back; a path entry brings the packages only.
    shared = Path(sysconfig.get_paths()["purelib"])
    (site / "shared.pth").write_text(f"{shared}\n")
    return folder / "env" / "bin" / "python"


def run(python: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(python), *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    where = run(installed, "-c", "import dragoman; print(dragoman.__file__)", cwd=tmp_path)
    assert str(installed.parents[1]) in where.stdout
    done = run(installed, "-m", "dragoman", "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "heard en-US → es-ES → de-DE → fr-FR → en-US: as labelled" in done.stdout
    assert (tmp_path / "demo-output" / "mixed_call.vtt").exists()


def test_the_wheel_holds_the_types_marker_and_no_tests(installed: Path) -> None:
    (wheel,) = installed.parents[2].glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "dragoman/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]
    assert wheel.stat().st_size < 14_000_000
