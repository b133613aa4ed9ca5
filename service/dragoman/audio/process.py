"""The handle on the jail: starts its process, hands it jobs, ends it."""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from dragoman.audio.job import DecodeRequest
from dragoman.domain.errors import EngineFailedError

_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]
_BOOT: Final = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from dragoman.audio.jail import main; main()"
_INHERITED_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Job:
    """One decoding in the jail: ``output_fd`` is a pipe of messages; closing ``leash`` stops it."""

    output_fd: int
    leash: socket.socket


class DecoderJail:
    """Owns the process that forks a decoder per job: started when first needed, and again after it was killed.

    Jobs are independent of each other, so threads and event loops may share one jail.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._warden: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the warden, if it was started."""
        return self._warden[0].pid if self._warden else None

    def submit(self, input_fd: int, request: DecodeRequest) -> Job:
        """Start decoding what ``input_fd`` holds; the caller keeps and closes its own descriptor.

        Raises:
            EngineFailedError: if the process cannot be started.
        """
        output_fd, write_fd = os.pipe()
        leash, other_end = socket.socketpair()
        try:
            leash.sendall(request.to_json())
            self._send([input_fd, write_fd, other_end.fileno()])
        except BaseException:
            os.close(output_fd)
            leash.close()
            raise
        finally:
            os.close(write_fd)
            other_end.close()
        leash.setblocking(False)
        return Job(output_fd, leash)

    def close(self) -> None:
        """End the process and all jobs in it; the next job starts another."""
        with self._lock:
            self._stop()

    def _send(self, fds: list[int]) -> None:
        with self._lock:
            for _ in range(2):
                _, control = self._warden = self._warden or self._start()
                try:
                    socket.send_fds(control, [b"\0"], fds)
                except (BrokenPipeError, ConnectionResetError):  # it was killed since the last job
                    self._stop()
                else:
                    return
        raise EngineFailedError("The decoder's process does not stay alive; its last words are on standard error.")

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        search_path = [*(str(Path(entry).absolute()) for entry in sys.path if entry), str(_PACKAGE_ROOT)]
        environment = {name: os.environ[name] for name in _INHERITED_ENVIRONMENT if name in os.environ}
        control, other_end = socket.socketpair()
        with other_end:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                # -I and -S: no user's site-packages, PYTHON* variables, .pth files or sitecustomize run in there.
                [sys.executable, "-I", "-S", "-c", _BOOT, json.dumps(search_path)],
                stdin=other_end.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
                # A pool of threads would not survive the forks.
                env=environment | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        return process, control

    def _stop(self) -> None:
        if self._warden is None:
            return
        process, control = self._warden
        self._warden = None
        control.close()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@cache
def shared_jail() -> DecoderJail:
    """Return the jail of this process: it keeps no state between jobs, and a second would only cost its start again."""
    jail = DecoderJail()
    atexit.register(jail.close)
    return jail
