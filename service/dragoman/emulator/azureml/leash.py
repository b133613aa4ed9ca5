"""Keeps processes from outliving the emulator, however it ends: a watcher ends them when its pipe to us does."""

import contextlib
import os
import signal
import subprocess
import sys


class Leash:
    """Holds groups of processes by their leaders; the watcher is started with the first."""

    def __init__(self) -> None:
        self._watcher: subprocess.Popen[str] | None = None

    def hold(self, leader: int) -> None:
        """End this group when the emulator ends."""
        if self._watcher is None:
            command = [sys.executable, "-m", "dragoman.emulator.azureml.leash"]
            self._watcher = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603
        self._tell(f"+{leader}")

    def release(self, leader: int) -> None:
        """Forget a group that has ended."""
        self._tell(f"-{leader}")

    def close(self) -> None:
        """End all that is held, and the watcher."""
        if self._watcher:
            self._watcher.communicate()

    def _tell(self, line: str) -> None:
        if self._watcher and self._watcher.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._watcher.stdin.write(f"{line}\n")
                self._watcher.stdin.flush()


def main() -> None:
    """Read what to hold until nobody writes any more, then end it."""
    held = set[int]()
    for line in sys.stdin:
        (held.add if line.startswith("+") else held.discard)(int(line[1:]))
    for leader in held:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    main()
