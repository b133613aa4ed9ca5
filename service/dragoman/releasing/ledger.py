"""The ledger of an endpoint's releases: a file of lines, each sealed with the one before it. It is only added to."""

import fcntl
import getpass
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.domain.errors import ReleaseFailedError

_FIRST: Final = "0" * 64


class Entry(BaseModel):
    """What was done or decided, when and by whom; ``seal`` is the SHA-256 of the seal before it and of this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int
    at: datetime
    who: str
    release: str
    action: str
    details: Mapping[str, JsonValue]
    seal: str = ""

    def sealed(self, before: str) -> "Entry":
        """Return it with its seal, after another."""
        told = json.dumps(self.model_dump(mode="json", exclude={"seal"}), sort_keys=True)
        return self.model_copy(update={"seal": hashlib.sha256(f"{before}\n{told}".encode()).hexdigest()})


class Ledger:
    """The ledger in a file. ``tell`` hears of every entry, for an audit trail beside it."""

    def __init__(
        self,
        file: Path,
        who: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        tell: Callable[[Entry], None] = lambda entry: None,
    ) -> None:
        self._file = file
        self._who = who
        self._now = now
        self._tell = tell

    def add(self, release: str, action: str, details: Mapping[str, JsonValue] | None = None) -> Entry:
        """Add what was done. Returned from, it survives the machine.

        Raises:
            ReleaseFailedError: if it cannot be written, or was changed.
        """
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600), "rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                content = file.read()
                before = self._whole(content)
                # What a process wrote that was killed while it did is no entry yet.
                file.seek(content.rfind(b"\n") + 1)
                file.truncate()
                entry = Entry(
                    seq=len(before) + 1,
                    at=self._now(),
                    who=self._who,
                    release=release,
                    action=action,
                    details=details or {},
                ).sealed(before[-1].seal if before else _FIRST)
                file.write(entry.model_dump_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ReleaseFailedError(f"The ledger '{self._file}' cannot be written: {error}.") from error
        self._tell(entry)
        return entry

    def entries(self) -> list[Entry]:
        """Return all entries, oldest first; raises as ``add``."""
        try:
            return self._whole(self._file.read_bytes())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ReleaseFailedError(f"The ledger '{self._file}' cannot be read: {error}.") from error

    def _whole(self, content: bytes) -> list[Entry]:
        entries: list[Entry] = []
        before = _FIRST
        for line in content[: content.rfind(b"\n") + 1].splitlines():
            try:
                entry = Entry.model_validate_json(line)
            except ValidationError:
                entry = None
            if entry is None or entry.seq != len(entries) + 1 or entry.sealed(before) != entry:
                raise ReleaseFailedError(
                    f"The ledger '{self._file}' was changed: line {len(entries) + 1} is not as it was written. "
                    "Put back the file that was there, or begin another one in a new DRAGOMAN_DATA folder."
                )
            entries.append(entry)
            before = entry.seal
        return entries


def who() -> str:
    """Return who is at this machine."""
    try:
        return getpass.getuser()
    except OSError:  # a container's user may have no name
        return "nobody"
