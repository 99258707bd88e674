"""A Roadbed in a thread of the test process: real PostgreSQL, real HTTP, on a free port of this machine."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from roadbed.app import MODULES, open_roadbed
from roadbed.core.db import Database
from roadbed.core.http.server import HttpServer, bind
from roadbed.core.lifecycle import Stopping
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.identity.contract import NewToken, create_local_token
from tests import plain_http
from tests.stacks import describe_stacks
from tests.steps import STEPS_MODULE

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
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        done, _ = wait([future], timeout=60)
        if not done:
            raise TimeoutError(f"{work} has not ended within 60 s.\n{describe_stacks(self.loop)}")
        return future.result()

    @property
    def database(self) -> Database:
        return self.services.get(Database)

    def token(self, role: str = "admin") -> str:
        """Return a new token of the account `local-<role>`, as `roadbed token create --local` makes it."""

        async def create() -> NewToken:
            async with self.database.write() as session:
                return await create_local_token(session, role=role, made_by="tests")

        value = self.run(create()).value
        assert value is not None
        return value

    def client_as(self, role: str) -> httpx.Client:
        """Return a client that has one role."""

        async def work() -> str:
            async with self.database.write() as session:
                token = await create_local_token(session, role=role, made_by="tests")
            assert token.value is not None
            return token.value

        return self.client(self.run(work()))

    def client(self, token: str | None = None) -> httpx.Client:
        """Return a client, anonymous or with a token. Closed with the server."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = plain_http.Client(base_url=self.base_url, headers=headers, timeout=60)
        self.clients.append(client)
        return client


def start_server(settings: Settings) -> tuple[RunningServer, threading.Thread, Callable[[], None]]:
    """Start Roadbed in a thread; returns it with the thread and what tells it to stop."""
    ready: Future[tuple[RunningServer, Callable[[], None]]] = Future()

    async def serve() -> None:
        with bind("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            known = settings.model_copy(update={"port": port})
            async with open_roadbed(known, modules=(*MODULES, STEPS_MODULE)) as app:
                server = HttpServer(app, stopping=app.state.services.get(Stopping), shutdown_seconds=5)
                task = asyncio.create_task(server.serve(sockets=[listener]))
                await server.is_answering.wait()
                running = RunningServer(
                    f"http://127.0.0.1:{port}", settings.home, app.state.services, asyncio.get_running_loop()
                )
                ready.set_result((running, server.stop))
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
    running, stop = ready.result(120)
    return running, thread, stop
