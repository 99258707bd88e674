"""Ports of this machine for workloads."""

import socket
from collections.abc import Collection

from roadbed.environments.errors import NoFreePort


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

    Args:
        first: of the range.
        count: how many there are.
        taken: what other workloads have.

    Raises:
        NoFreePort: all are in use.
    """
    for port in range(first, first + count):
        if port not in taken and is_free(port):
            return port
    raise NoFreePort(
        f"All ports for workloads, {first} to {first + count - 1}, are in use.",
        hint="Stop what uses them, or change ROADBED_ENVIRONMENTS__FIRST_PORT or ROADBED_ENVIRONMENTS__PORT_COUNT.",
    )
