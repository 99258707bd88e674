import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from roadbed.core.workers import WorkerEnded, Workers


def test_workers_do_what_they_are_given_in_processes_of_their_own() -> None:
    with Workers() as workers:
        found = [workers.submit(os.getpid).result() for _ in range(4)]
        assert os.getpid() not in found
        assert workers.submit(divmod, 7, 2).result() == (3, 1)
    assert not any(psutil.pid_exists(pid) for pid in found)


def test_error_of_the_work_is_raised_where_its_result_is_asked_for() -> None:
    with Workers() as workers:
        failing = workers.submit(json.loads, "{")
        assert workers.submit(json.loads, "{}").result() == {}
        with pytest.raises(json.JSONDecodeError):
            failing.result()


def test_worker_that_was_killed_is_reported() -> None:
    with Workers() as workers, pytest.raises(WorkerEnded):
        workers.submit(signal.raise_signal, signal.SIGKILL).result()


def test_workers_are_ended_with_work_left_when_the_work_as_a_whole_fails() -> None:
    pids: list[int] = []
    began = time.monotonic()

    def fail() -> None:
        with Workers() as workers:
            pids.append(workers.submit(os.getpid).result())
            workers.submit(time.sleep, 60)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert time.monotonic() - began < 30
    assert not psutil.pid_exists(pids[0])


def test_workers_end_when_the_server_is_killed() -> None:
    program = (
        "import os, time; from roadbed.core.workers import Workers\n"
        "with Workers() as w: print(w.submit(os.getpid).result(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        worker = psutil.Process(int(server.stdout.readline()))
        server.kill()
    worker.wait(timeout=20)
