"""How the emulator misbehaves when it is told to, so that what is built on Azure can be tried before Azure fails."""

import asyncio
from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

DoorName = Literal[
    "chat",
    "safety",
    "score",
    "speech",
    "translator",
    "transcription",
    "management",
    "provisioning",
    "endpoint",
    "blob",
]


class Fault(BaseModel):
    """Something that goes wrong at a door, so many times (0: until it is mended).

    Before anything else a request is made to wait (``delay_s``), and refused (``status``, ``retry_after_s``). On a
    stream, once so much audio has come (``after_ms``), the connection breaks (``drop``), is closed (``close_code``),
    or nothing is said any more (``silent``). A chat may be stopped by the content filter (``filtered``).

    At Azure ML's doors, ``path`` is what the path of a request must contain to be meant, and ``code`` is Azure's code
    of the error; ``provisioning`` is no door but an operation, which is begun and then fails with that code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    door: DoorName
    times: int = Field(default=1, ge=0)
    delay_s: float = Field(default=0.0, ge=0, le=600)
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after_s: int | None = Field(default=None, ge=0)
    after_ms: int = Field(default=0, ge=0)
    drop: bool = False
    close_code: int | None = Field(default=None, ge=1000, le=4999)
    silent: bool = False
    filtered: bool = False
    code: str | None = None
    path: str | None = None

    @model_validator(mode="after")
    def _does_something(self) -> "Fault":
        streamed = (self.drop, self.close_code is not None, self.silent)
        if sum(streamed) > 1 or (any(streamed) and self.status):
            raise ValueError("a fault is one of status, drop, close_code and silent")
        if any(streamed) and self.door != "speech":
            raise ValueError("only streams break in the middle; give a status")
        if self.filtered and self.door != "chat":
            raise ValueError("only a chat is filtered")
        if self.door == "provisioning" and (self.status or not self.code):
            raise ValueError("an operation fails with a code, and has no status")
        if not (any(streamed) or self.status or self.delay_s or self.filtered or self.code):
            raise ValueError("a fault needs a status, drop, close_code, silent, filtered, code or delay_s")
        return self


class Faults:
    """The faults that are to come, in order, and how often each door was knocked at."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._left: list[int] = []
        self.knocks: Counter[str] = Counter()

    def add(self, *faults: Fault) -> None:
        """Let these happen, after those that wait already."""
        self._waiting += faults
        self._left += [fault.times for fault in faults]

    def clear(self) -> None:
        """Let nothing go wrong any more, and count knocks anew."""
        self._waiting, self._left = [], []
        self.knocks.clear()

    def next(self, door: DoorName, path: str = "") -> Fault | None:
        """Count a knock at a door, and return what goes wrong with it."""
        self.knocks[door] += 1
        for at, fault in enumerate(self._waiting):
            if fault.door == door and (fault.path is None or fault.path in path):
                if fault.times:
                    self._left[at] -= 1
                    if not self._left[at]:
                        del self._waiting[at], self._left[at]
                return fault
        return None

    @staticmethod
    async def wait(fault: Fault | None) -> None:
        """Let a request wait as long as it is to."""
        if fault and fault.delay_s:
            await asyncio.sleep(fault.delay_s)
