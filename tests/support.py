"""A Roadbed in a thread of the test process: real PostgreSQL, real HTTP, on a free port of this machine."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn

from roadbed.app import open_roadbed
from roadbed.core.db import Database
from roadbed.core.http.server import bind
from roadbed.core.services import Services
from roadbed.core.settings import Settings

T = TypeVar("T")


@dataclass
class RunningServer:
    """The handle that tests hold.

    `run` executes a coroutine on its event loop, for looking at the database and calling verbs of services.
    """

    base_url: str
    home: Path
    services: Services
    loop: asyncio.AbstractEventLoop
    clients: list[httpx.Client] = field(default_factory=list)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @property
    def database(self) -> Database:
        return self.services.get(Database)

    def client(self, token: str | None = None) -> httpx.Client:
        """Return a client, anonymous or with a token. Closed with the server."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(base_url=self.base_url, headers=headers, timeout=60)
        self.clients.append(client)
        return client


def start_server(settings: Settings) -> tuple[RunningServer, threading.Thread, uvicorn.Server]:
    ready: Future[tuple[RunningServer, uvicorn.Server]] = Future()

    async def serve() -> None:
        listener = bind("127.0.0.1", 0)
        port = listener.getsockname()[1]
        async with open_roadbed(settings.model_copy(update={"port": port})) as app:
            server = uvicorn.Server(
                uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=5, proxy_headers=False)
            )
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not the main thread
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(0.005)
            running = RunningServer(
                f"http://127.0.0.1:{port}", settings.home, app.state.services, asyncio.get_running_loop()
            )
            ready.set_result((running, server))
            await task

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run, name="roadbed under test")
    thread.start()
    running, server = ready.result(120)
    return running, thread, server
