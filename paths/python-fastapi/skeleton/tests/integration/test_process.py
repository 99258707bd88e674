"""The service as a process of its own: started, asked over a socket, stopped by a signal."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

COMMAND = [sys.executable, "-m", "app"]


@pytest.fixture
def environment({% if values.postgres %}database_url: str{% endif %}) -> dict[str, str]:
    own = {"PYTHONPATH": "src", "PORT": "0"{% if values.postgres %}, "DATABASE_URL": database_url{% endif %}}
    return os.environ | own


@contextmanager
def run_service(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start it on a free port and give the process and its address, which it logs itself."""
    with subprocess.Popen(COMMAND, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.search(r"http://[\d.]+:\d+", json.loads(line)["event"]):
                    yield process, found[0]
                    break
            else:
                pytest.fail("The service ended before it listened.")
        finally:
            process.kill()


def test_process_answers_and_ends_in_order(environment: dict[str, str]) -> None:
    with run_service(environment) as (process, address):
        ready = httpx2.get(f"{address}/readyz")
        about = httpx2.get(address)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=15)

    assert (ready.status_code, about.status_code) == (200, 200)
    assert "service.stopped" in [json.loads(line)["event"] for line in rest.splitlines()]
    assert process.returncode in {0, -signal.SIGTERM}
