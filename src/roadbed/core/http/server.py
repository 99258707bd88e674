"""The listening server: uvicorn over an application that is already running."""

import asyncio
import socket

import uvicorn
from fastapi import FastAPI

from roadbed.core.errors import Unavailable


class PortInUse(Unavailable):
    code = "server.port_in_use"


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        PortInUse: another process listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortInUse(
            f"Roadbed cannot listen on {host}:{port}: {error.strerror}.",
            hint="Stop what uses the port, or choose another one with --port or ROADBED_PORT.",
        ) from error
    listener.listen(2048)
    return listener


async def serve(app: FastAPI, listener: socket.socket, *, shutdown_seconds: int, started: asyncio.Event) -> None:
    """Answer requests until the process is told to stop; open requests get `shutdown_seconds` to end."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="none",
        http="httptools",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=shutdown_seconds,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.005)
    started.set()
    await task
