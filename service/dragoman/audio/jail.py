"""The process in which unknown bytes meet a decoder: it can read its input, write its output, and nothing else.

``main`` is the warden. It loads the libraries once and forks a child per job, which costs milliseconds. A child keeps
three descriptors and may open no other, so whatever a file talks its decoder into, there is no file, host or process
it can reach. ``multiprocessing`` would do the forking, but its servers import the user's ``__main__`` again.
"""

import gc
import os
import resource
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from dragoman.audio.codec import decode
from dragoman.audio.job import HEADER, STATUS, AudioInfo, DecodeRequest, Kind, RawFormat, Report
from dragoman.audio.source import Source
from dragoman.domain.errors import DragomanError

MAX_REQUEST_BYTES: Final = 4096
_MAX_FDS: Final = 4096
_INPUT_FD, _OUTPUT_FD, _NULL_FD = 0, 1, 2


@dataclass(frozen=True, slots=True)
class _Child:
    """A running job. The parent closes its end of ``leash`` to stop it, and learns there how it ended."""

    pid: int
    leash: socket.socket


class Warden:
    """Starts, stops and reaps children, for as long as somebody holds the other end of ``control``.

    Each byte on ``control`` brings three descriptors: input, output pipe, and leash, in which the request waits.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._wakeup, signalled = socket.socketpair()
        self._wakeup.setblocking(False)
        signalled.setblocking(False)
        self._signalled = signalled
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(signalled.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._wakeup, selectors.EVENT_READ)

    def serve(self) -> None:
        """Work until the parent is gone; no child survives that."""
        parent_lives = True
        while parent_lives:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    parent_lives = self._accept()
                elif key.fileobj is self._wakeup:
                    self._reap()
                else:
                    self._stop(key.data)
        signal.set_wakeup_fd(-1)
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _accept(self) -> bool:
        message, fds, _, _ = socket.recv_fds(self._control, 1, 3)
        try:
            if message and len(fds) == 3:  # fewer arrive when this process has no descriptors left
                self._start(fds)
        finally:
            for fd in fds:
                os.close(fd)
        return bool(message)

    def _start(self, fds: list[int]) -> None:
        leash = socket.socket(fileno=fds.pop())
        try:
            request = DecodeRequest.from_json(leash.recv(MAX_REQUEST_BYTES))
            pid = os.fork()
        except (OSError, ValueError):  # too many processes, or the parent has already left
            leash.close()
            return
        if pid == 0:
            _run_and_exit(fds[0], fds[1], request)
        self._children[pid] = _Child(pid, leash)
        self._selector.register(leash, selectors.EVENT_READ, self._children[pid])

    def _stop(self, child: _Child) -> None:
        if self._children.get(child.pid) is child:  # not reaped yet, so the id is still its own
            self._selector.unregister(child.leash)
            os.kill(child.pid, signal.SIGKILL)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            self._wakeup.recv(4096)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid)
            with suppress(KeyError):  # it was stopped
                self._selector.unregister(child.leash)
            with suppress(OSError):  # the parent has left
                child.leash.send(STATUS.pack(os.waitstatus_to_exitcode(status)))
            child.leash.close()


def _run_and_exit(input_fd: int, output_fd: int, request: DecodeRequest) -> None:
    """Become the child: confine this process, do the job, and never return."""
    status = os.EX_SOFTWARE
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever wanted the output has left
        null_fd = os.open(os.devnull, os.O_RDWR)
        for fd, place in ((input_fd, _INPUT_FD), (output_fd, _OUTPUT_FD), (null_fd, _NULL_FD)):
            os.dup2(fd, place)
        os.closerange(_NULL_FD + 1, _MAX_FDS)
        _confine(request)
        answer(Source(_INPUT_FD, _OUTPUT_FD), request, _OUTPUT_FD)
        status = os.EX_OK
    finally:
        os._exit(status)


def _confine(request: DecodeRequest) -> None:
    cpu_s = request.limits.cpu_s
    if sys.platform == "linux":  # elsewhere it is refused or without effect
        _limit(resource.RLIMIT_AS, request.limits.memory_bytes)
    _limit(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)  # at the first a signal that tells why, at the second SIGKILL
    _limit(resource.RLIMIT_NOFILE, _NULL_FD + 1)  # all taken: no file, socket or pipe can be opened any more
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    _, most = resource.getrlimit(kind)
    hard = soft if hard is None else hard
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def answer(source: Source, request: DecodeRequest, output_fd: int) -> None:
    """Decode ``source`` and write everything that is to be said about it to ``output_fd``, as messages."""
    try:
        for item in decode(source, request):
            match item:
                case AudioInfo():
                    _write(output_fd, Kind.INFO, item.to_json())
                case Report():
                    _write(output_fd, Kind.NOTICE, item.to_json())
                case _:
                    _write(output_fd, Kind.PCM, item)
    except DragomanError as error:
        _write(output_fd, Kind.ERROR, Report(error.code, str(error)).to_json())
    else:
        _write(output_fd, Kind.END, b"")


def _write(fd: int, kind: Kind, payload: bytes) -> None:
    message = memoryview(HEADER.pack(kind, len(payload)) + payload)
    while message:
        message = message[os.write(fd, message) :]


def _warm_up() -> None:
    """Decode a moment of silence: what the libraries load on first use, a child could not load any more."""
    read_fd, write_fd = os.pipe()
    os.write(write_fd, bytes(1600))
    os.close(write_fd)
    for _ in decode(Source(read_fd), DecodeRequest(raw=RawFormat("s16le", 8_000))):
        pass
    os.close(read_fd)
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, pages that children share


def main() -> None:
    """Run the warden; its standard input is the control socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fds = _MAX_FDS if soft == resource.RLIM_INFINITY else min(soft, _MAX_FDS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (fds, hard))
    _warm_up()
    Warden(socket.socket(fileno=0)).serve()
