"""How the emulator misbehaves when it is told to, so that what is built on Azure can be tried before Azure fails."""

from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

DoorName = Literal["chat", "safety", "score", "speech", "translator", "transcription"]


class Fault(BaseModel):
    """Something that goes wrong at a door, so many times (0: until it is mended).

    Before anything else a request is made to wait (``delay_s``), and refused (``status``, ``retry_after_s``). On a
    stream, once so much audio has come (``after_ms``), the connection breaks (``drop``), is closed (``close_code``),
    or nothing is said any more (``silent``). A chat may be stopped by the content filter (``filtered``).
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

    @model_validator(mode="after")
    def _does_something(self) -> "Fault":
        streamed = (self.drop, self.close_code is not None, self.silent)
        if sum(streamed) > 1 or (any(streamed) and self.status):
            raise ValueError("a fault is one of status, drop, close_code and silent")
        if any(streamed) and self.door != "speech":
            raise ValueError("only streams break in the middle; give a status")
        if self.filtered and self.door != "chat":
            raise ValueError("only a chat is filtered")
        if not (any(streamed) or self.status or self.delay_s or self.filtered):
            raise ValueError("a fault needs a status, drop, close_code, silent, filtered or delay_s")
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

    def next(self, door: DoorName) -> Fault | None:
        """Count a knock at a door, and return what goes wrong with it."""
        self.knocks[door] += 1
        for at, fault in enumerate(self._waiting):
            if fault.door == door:
                if fault.times:
                    self._left[at] -= 1
                    if not self._left[at]:
                        del self._waiting[at], self._left[at]
                return fault
        return None
