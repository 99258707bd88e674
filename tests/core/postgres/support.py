"""What the tests of the embedded server share."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import psutil

from roadbed.core.postgres.processes import list_workers

_HERE = Path(__file__).parent
PATIENCE_SECONDS = 60


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"Waited {PATIENCE_SECONDS} s in vain until {what}."
        time.sleep(0.002)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def list_postmasters(data_dir: Path) -> list[int]:
    """Return every living process on `data_dir` that is not the child of another."""
    workers = set(list_workers(data_dir))
    return [pid for pid in workers if _read_parent(pid) not in workers]


def wait_for_end(data_dir: Path) -> None:
    """Wait until nothing lives on `data_dir`: the log collector outlives its server by a moment."""
    wait_until(lambda: not list_postmasters(data_dir), f"the last process on {data_dir} has ended")


def _read_parent(pid: int) -> int | None:
    try:
        return psutil.Process(pid).ppid()
    except psutil.NoSuchProcess:
        return None


def kill_servers_below(folder: Path) -> None:
    for data_dir in [*folder.rglob("data"), *folder.rglob("initdb")]:
        for pid in list_workers(data_dir):
            kill(pid)
        wait_until(lambda: not list_workers(data_dir), "the server is dead")  # noqa: B023 - it is called here only


class Script:
    """A Python program beside this file, run as a process of its own that answers in lines of JSON."""

    running: ClassVar[list["Script"]] = []

    def __init__(self, name: str, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, _HERE / name, *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        self.running.append(self)

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{self.process.args!r} ended with code {self.process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()
        if self in self.running:
            self.running.remove(self)
