"""Work that keeps a processor busy, done in processes of its own, so that the server goes on answering.

Workers are started for a piece of work and ended with it. One process imports what the work needs and is forked into
them: each of them would take longer for the imports than for most work. They end by themselves when the server is gone,
however that went.
"""

import asyncio
import contextlib
import gc
import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from roadbed.core.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

_MOST = 4
_END_SECONDS = 5
_NOW = b"now"


class WorkerEnded(Unavailable):
    """A worker ended in the middle of its work: it was killed, or the machine had no memory for it."""

    code = "worker_ended"


class Workers:
    """As many workers as the machine has processors, at most four.

    Args:
        modules: what is imported for all of them; their work is in these.
    """

    def __init__(self, *modules: str) -> None:
        count = min(os.cpu_count() or 1, _MOST)
        pairs = [socket.socketpair() for _ in range(1 + count)]
        descriptors = [theirs.fileno() for _, theirs in pairs]
        self._parent = subprocess.Popen(
            [sys.executable, "-m", __name__, ",".join(modules), *map(str, descriptors)],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
        )
        for _, theirs in pairs:
            theirs.close()
        self._control, *self._connections = (Connection(ours.detach()) for ours, _ in pairs)
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        for connection in self._connections:
            self._idle.put(connection)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what was begun, and end the workers; at once when the work as a whole has failed."""
        self._threads.shutdown(cancel_futures=True, wait=kind is None)
        if kind is None:
            self._hang_up()
            self._wait()
        else:
            self._end_now()
            self._threads.shutdown()  # what was begun has failed by now
            self._hang_up()

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a worker call a function of a module. Arguments, result and errors are pickled.

        The result raises WorkerEnded when the worker does not live to give one.
        """
        return self._threads.submit(self._call, function, args, kwargs)

    def _call(self, function: Callable[..., T], args: Any, kwargs: Any) -> T:
        connection = self._idle.get()
        try:
            connection.send((function, args, kwargs))
            succeeded, result = connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerEnded(
                "A process that Roadbed had started for a piece of work ended before it was done.",
                hint="Try again. If it happens again, look whether the machine has run out of memory.",
            ) from error
        finally:
            self._idle.put(connection)
        if not succeeded:
            raise result
        done: T = result
        return done

    def _hang_up(self) -> None:
        """Let each worker see that nobody will ask it any more."""
        for connection in self._connections:
            connection.close()
        self._control.close()

    def _wait(self) -> None:
        try:
            self._parent.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._parent.kill()
            self._parent.wait()

    def _end_now(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has ended
            self._control.send_bytes(_NOW)
        self._parent.wait()


@asynccontextmanager
async def open_workers(*modules: str) -> AsyncIterator[Workers]:
    """Give workers, and end them without holding up anybody: at once when something went wrong."""
    with ExitStack() as stack:
        workers = stack.enter_context(Workers(*modules))
        try:
            yield workers
        finally:
            await asyncio.to_thread(stack.pop_all().__exit__, *sys.exc_info())


def _run(modules: Sequence[str], descriptors: Sequence[int]) -> None:
    """Import, fork into workers, and end with them. Returns in each of these processes."""
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what they share stays shared
    workers = []
    for descriptor in descriptors[1:]:
        pid = os.fork()
        if not pid:
            for other in set(descriptors) - {descriptor}:
                os.close(other)
            _serve(descriptor)
            return
        workers.append(pid)
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    with Connection(descriptors[0]) as control, contextlib.suppress(EOFError, ConnectionResetError):
        control.recv_bytes()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)  # it is that process still: nobody else waits for it
    for pid in workers:
        os.waitpid(pid, 0)


def _serve(descriptor: int) -> None:
    with Connection(descriptor) as connection:
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
    _run([name for name in sys.argv[1].split(",") if name], [int(number) for number in sys.argv[2:]])
