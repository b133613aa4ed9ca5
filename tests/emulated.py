"""The emulator that tests talk to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dragoman.emulator.app import create_emulator
from dragoman.emulator.faults import Faults
from dragoman.emulator.run import running
from dragoman.runtime import Runtime
from dragoman.settings import Settings
from tests.emulator.recorder import Recorder


@dataclass(frozen=True)
class Emulator:
    """A running one: ``address`` is host and port; ``exchanges`` were checked against the specifications."""

    address: str
    faults: Faults
    exchanges: list[str]
    violations: list[str]

    @property
    def url(self) -> str:
        return f"http://{self.address}"


@contextmanager
def emulating() -> Iterator[Emulator]:
    """Run one."""
    faults, exchanges, violations = Faults(), list[str](), list[str]()
    app = create_emulator(Runtime(Settings(threads=1)), faults)
    app.add_middleware(Recorder, exchanges=exchanges, violations=violations)
    with running(app) as address:
        yield Emulator(address, faults, exchanges, violations)
