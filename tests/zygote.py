"""Processes of `roadbed` for tests, forked from one that has imported everything.

What a fork runs is the command's own entry point, in a process of its own with an environment, folder and files of its
own, as `roadbed` started by a shell does; only the imports, seconds of a processor for each of the hundreds of
processes that the suite starts, have happened before. Of what Python reads at its start PYTHONPATH counts. Tests of the
start itself start the program.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

_MESSAGE = 1 << 20
_FILES = 4  # standard input, output, errors, and where the exit code is told


class Zygote:
    """The process that is forked from, as one worker of the suite sees it; started when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.zygote", str(theirs.fileno())],
                cwd=Path(__file__).parents[1],
                env={**os.environ, "PYTHONWARNINGS": "default"},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self._close)

    def _close(self) -> None:
        self._socket.close()
        self._process.wait()

    def start(self, arguments: list[str], *, env: dict[str, str], files: list[IO[bytes]]) -> "Fork":
        """Start `roadbed` with these arguments.

        Args:
            arguments: without the program.
            env: the whole environment.
            files: standard input, output and errors.
        """
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            message = json.dumps({"arguments": arguments, "env": env, "folder": str(Path.cwd())}).encode()
            assert len(message) < _MESSAGE
            socket.send_fds(self._socket, [message], [*(file.fileno() for file in files), theirs.fileno()])
            pid = int(self._socket.recv(32))
        return Fork(pid, ours)


class Fork:
    """A process that was forked; to be used as a `subprocess.Popen`."""

    def __init__(self, pid: int, told: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._told = told

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; return its exit code, or minus the signal that ended it."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("roadbed", timeout or 0)
            self.returncode = int(self._told.recv(32))
            self._told.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(control: socket.socket) -> None:
    """Fork whenever it is asked for, and tell how each fork ended. Returns in the forks, and when nobody asks more."""
    told: dict[int, socket.socket] = {}
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([control.fileno(), reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
            _tell_ends(told)
        if control.fileno() not in ready:
            continue
        message, files, _, _ = socket.recv_fds(control, _MESSAGE, _FILES)
        if not message:
            os._exit(0)
        wish = json.loads(message)
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (reading, writing, control.detach(), *(one.detach() for one in told.values())):
                os.close(descriptor)
            _become(wish, files)
            return
        told[pid] = socket.socket(fileno=files[3])
        for descriptor in files[:3]:
            os.close(descriptor)
        control.send(str(pid).encode())


def _tell_ends(told: dict[int, socket.socket]) -> None:
    while told:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with told.pop(pid) as one, contextlib.suppress(OSError):  # nobody may wait for it any more
            one.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(wish: dict[str, object], files: list[int]) -> None:
    os.setsid()
    for number, descriptor in enumerate(files[:3]):
        os.dup2(descriptor, number)
    for descriptor in files:
        os.close(descriptor)
    environment, arguments = wish["env"], wish["arguments"]
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[1:1] = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
    os.chdir(str(wish["folder"]))
    time.tzset()
    sys.argv = [str(Path(sys.executable).with_name("roadbed")), *arguments]


def _end(run: Callable[[], None]) -> None:
    """Run a command and end as Python would, but for taking apart what was imported: that takes most of its time."""
    code: str | int | None = 0
    try:
        run()
    except SystemExit as end:
        code = end.code
    if threading.active_count() > 1 or isinstance(code, str):
        sys.exit(code)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    from roadbed.cli import main

    for entry in main.COMMANDS.values():
        importlib.import_module(entry.module)
    importlib.import_module("roadbed.app")
    assert threading.active_count() == 1, "a fork would have none of these threads"
    gc.collect()
    gc.freeze()  # what is shared stays shared
    _serve(socket.socket(fileno=int(sys.argv[1])))
    _end(main.run)
