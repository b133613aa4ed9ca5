from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.emulated import Emulator
    from tests.postgres import PostgresServer

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
