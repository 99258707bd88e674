"""Ports of this machine for workloads."""

import secrets
import socket
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil

from roadbed.environments.errors import NoFreePort


@dataclass(frozen=True)
class Listener:
    """A process that listens on a port of this machine. `name` is that of its program."""

    port: int
    pid: int
    name: str


def is_free(port: int) -> bool:
    """Tell whether nobody listens on this port, on the loopback address or on all."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port(*, first: int, count: int, taken: Collection[int]) -> int:
    """Return a port that no workload has and nobody listens on.

    The search begins anywhere, so that two installations on one machine that choose at the same moment differ.

    Args:
        first: of the range.
        count: how many there are.
        taken: what other workloads have.

    Raises:
        NoFreePort: all are in use.
    """
    begin = secrets.randbelow(count)
    for offset in range(count):
        port = first + (begin + offset) % count
        if port not in taken and is_free(port):
            return port
    raise NoFreePort(
        f"All ports for workloads, {first} to {first + count - 1}, are in use.",
        hint="Stop what uses them, or change ROADBED_ENVIRONMENTS__FIRST_PORT or ROADBED_ENVIRONMENTS__PORT_COUNT.",
    )


def find_stranger(port: int, pid: int) -> str | None:
    """Return who listens on a port that the process and its descendants do not listen on, in words.

    None where they listen themselves, nobody does, or the operating system does not tell.
    """
    try:
        holders = [one.pid for one in psutil.net_connections("tcp") if _find_port(one) == port and one.pid]
        family = {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
        if not holders or family.intersection(holders):
            return None
        return f"process {holders[0]} ({psutil.Process(holders[0]).name()})"
    except psutil.Error:
        return None


def list_listeners(pids: Iterable[int]) -> list[Listener]:
    """List who listens where, as far as the operating system tells this account.

    Args:
        pids: processes of which each port is listed. Of a port that others listen on, one of them is: asking each
            process of the machine would read all connections of the machine for each.
    """
    found: set[tuple[int, int]] = set()
    with suppress(psutil.Error):
        found |= {(at, one.pid) for one in psutil.net_connections("tcp") if (at := _find_port(one)) and one.pid}
    for pid in pids:
        with suppress(psutil.Error):  # it ended, or is somebody else's
            found |= {(at, pid) for one in psutil.Process(pid).net_connections("tcp") if (at := _find_port(one))}
    listeners: list[Listener] = []
    for port, pid in sorted(found):
        with suppress(psutil.Error):
            listeners.append(Listener(port, pid, psutil.Process(pid).name()))
    return listeners


def _find_port(connection: Any) -> int | None:
    """Return the port on which a connection of psutil listens; None for any other."""
    return int(connection.laddr.port) if connection.status == psutil.CONN_LISTEN else None
