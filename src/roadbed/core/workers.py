"""Work that keeps a processor busy, done in processes of its own, so that the server goes on answering.

A worker is started for a piece of work and ended with it. It ends by itself when the server is gone, however that went.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from roadbed.core.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

_MOST = 4
_END_SECONDS = 5


class WorkerEnded(Unavailable):
    """A worker ended in the middle of its work: it was killed, or the machine had no memory for it."""

    code = "worker_ended"


class Workers:
    """As many workers as the machine has processors, at most four."""

    def __init__(self) -> None:
        count = min(os.cpu_count() or 1, _MOST)
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._workers = [_Worker() for _ in range(count)]
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True, wait=kind is None)
        for worker in self._workers:
            worker.end(at_once=kind is not None)

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a worker call a function of a module. Arguments, result and errors are pickled.

        The result raises WorkerEnded when the worker does not live to give one.
        """
        return self._threads.submit(self._call, function, args, kwargs)

    def _call(self, function: Callable[..., T], args: Any, kwargs: Any) -> T:
        worker = self._idle.get()
        try:
            result: T = worker.call(function, args, kwargs)
        finally:
            self._idle.put(worker)
        return result


class _Worker:
    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        try:
            self._connection.send((function, args, kwargs))
            succeeded, result = self._connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerEnded(
                "A process that Roadbed had started for a piece of work ended before it was done.",
                hint="Try again. If it happens again, look whether the machine has run out of memory.",
            ) from error
        if not succeeded:
            raise result
        return result

    def end(self, *, at_once: bool) -> None:
        if at_once:
            self._process.kill()
        self._connection.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _serve(connection: Connection) -> None:
    while True:
        try:
            function, args, kwargs = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        try:
            answer = (True, function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the edge of this process: whoever asked is told
            answer = (False, error)
        connection.send(answer)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server is told, and ends its workers
    with Connection(int(sys.argv[1])) as asked:
        _serve(asked)
