"""The listening server: uvicorn over an application that is already running."""

import asyncio
import errno
import socket

import psutil
import uvicorn
from fastapi import FastAPI

from roadbed.core.errors import Unavailable
from roadbed.core.lifecycle import Stopping


class PortInUse(Unavailable):
    code = "server.port_in_use"


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        PortInUse: another process listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: without it asyncio leaves Nagle's algorithm on, and each answer waits 40 ms for its end.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        holder = _find_holder(port) if error.errno == errno.EADDRINUSE else None
        reason = f"{holder} listens there" if holder else error.strerror
        raise PortInUse(
            f"Roadbed cannot listen on {host}:{port}: {reason}.",
            hint="Stop what uses the port, or choose another one with --port or ROADBED_PORT.",
        ) from error
    listener.listen(2048)
    return listener


def _find_holder(port: int) -> str | None:
    """Return who listens on a port, in words; None where the operating system does not tell."""
    try:
        listening = (one for one in psutil.net_connections("tcp") if one.pid and one.status == psutil.CONN_LISTEN)
        pid = next((one.pid for one in listening if one.laddr and one.laddr.port == port), None)
        return f"process {pid} ({psutil.Process(pid).name()})" if pid else None
    except psutil.Error:
        return None


class HttpServer(uvicorn.Server):
    """uvicorn, with an event that tells when it answers.

    Args:
        app: a running application.
        stopping: what is told when the server begins to stop.
        shutdown_seconds: what open requests get to end when the server is told to stop.
    """

    def __init__(self, app: FastAPI, *, stopping: Stopping, shutdown_seconds: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                http="httptools",
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=shutdown_seconds,
            )
        )
        self._stopping = stopping
        self.is_answering = asyncio.Event()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Have streams end first: uvicorn waits for every open request."""
        self._stopping.begin()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_answering.set()

    def stop(self) -> None:
        """Begin to stop, as a signal does."""
        self.should_exit = True
