import importlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.emulated import Emulator
    from tests.postgres import PostgresServer

_IS_SLOW = re.compile(r"(?m)^pytestmark = (\[[^]]*)?pytest\.mark\.slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files of slow tests where none of them is wanted: what they import takes longer than quick tests."""
    if config.option.markexpr != "not slow" or not collection_path.name.startswith("test_"):
        return None
    return True if _IS_SLOW.search(collection_path.read_text(encoding="utf-8")) else None


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """Import Azure ML's client, for files that will: it warns of its own schemas when it is first imported."""
    if "azureml" in (text := module_path.read_text(encoding="utf-8")) or "azure.ai.ml" in text:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("azure.ai.ml")


# No wall clock in tests: on a busy machine an example may take as long as it takes.
settings.register_profile("dragoman", deadline=None)
settings.load_profile("dragoman")


@pytest.fixture(scope="session")
def running_emulator() -> Iterator["Emulator"]:
    from tests.emulated import emulating

    with emulating() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def postgres() -> Iterator["PostgresServer"]:
    """A real PostgreSQL; where it is not installed, tests that need it skip."""
    from tests.postgres import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture
def emulator(running_emulator: "Emulator") -> Iterator["Emulator"]:
    """The emulator, with nothing going wrong yet; whatever is exchanged must be what the specifications allow."""
    running_emulator.faults.clear()
    running_emulator.exchanges.clear()
    yield running_emulator
    running_emulator.faults.clear()
    assert running_emulator.violations == []
