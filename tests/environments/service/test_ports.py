"""Whose port it is."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from roadbed.environments.errors import NoFreePort
from roadbed.environments.service.runtime.ports import choose_port, find_stranger

LISTEN = """
import socket, sys
one = socket.create_server(("127.0.0.1", 0))
print(one.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def listener() -> Iterator[tuple[int, int]]:
    """Give the port and the pid of a process that listens."""
    command = [sys.executable, "-c", LISTEN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
        process.communicate("")


def test_process_that_listens_itself_is_no_stranger(listener: tuple[int, int]) -> None:
    port, pid = listener
    assert find_stranger(port, pid) is None
    assert find_stranger(port, os.getpid()) is None  # its parent


def test_port_that_another_process_holds_is_named_with_it(listener: tuple[int, int]) -> None:
    port, pid = listener
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        said = find_stranger(port, other.pid)
        other.communicate(b"\n")
    assert said is not None
    assert said.startswith(f"process {pid} (")


def test_ports_in_use_are_not_chosen_and_all_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(NoFreePort, match=str(port)):
            choose_port(first=port, count=1, taken=())
    assert choose_port(first=port, count=2, taken=(port + 1,)) == port
