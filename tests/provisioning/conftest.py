"""A catalog with a resource type and definitions, and what tests do with resources."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from roadbed.provisioning.workflows.server import WorkloadServer
from roadbed.secrets.contract import resolve_all
from tests.identity.people import new_name
from tests.support import RunningServer
from tests.waiting import wait_for


@dataclass
class Yard:
    """A server as it is started: its catalog offers PostgreSQL."""

    server: RunningServer
    api: httpx.Client

    @property
    def workloads(self) -> WorkloadServer:
        return self.server.services.get(WorkloadServer)

    def put(self, documents: str) -> None:
        answer = self.api.post("/api/v1/entities", content=documents, headers={"Content-Type": "application/yaml"})
        assert answer.is_success, answer.text

    def ask(self, application: str | None = None, *, headers: dict[str, str] | None = None, **fields: Any) -> str:
        """Ask for a database; return the run's id."""
        body = {
            "application": application or f"component:default/{new_name('app')}",
            "environment": "development",
            "type": "postgres",
            "id": "db",
            **fields,
        }
        answer = self.api.post("/api/v1/resources", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    def ends(self, run_id: str) -> dict[str, Any]:
        """Wait for the end of a run, and return it."""
        return self.until(
            lambda: self.api.get(f"/api/v1/runs/{run_id}").json(), lambda run: run["finished_at"] is not None
        )

    def make(self, application: str | None = None, **fields: Any) -> dict[str, Any]:
        """Ask for a database and return it when it is ready."""
        run = self.ends(self.ask(application, **fields))
        assert run["state"] == "succeeded", run["error"]
        found = self.api.get("/api/v1/resources", params={"application": run["subject"]}).json()["items"]
        resource: dict[str, Any] = found[0]
        return resource

    def delete(self, resource: dict[str, Any]) -> dict[str, Any]:
        answer = self.api.delete(f"/api/v1/resources/{resource['id']}")
        assert answer.status_code == 202, answer.text
        return self.ends(answer.json()["run_id"])

    def until(self, look: Callable[[], dict[str, Any]], is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        found: dict[str, Any] = wait_for(look, is_it)
        return found

    def outputs(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs with their secret values, as a deployment resolves them."""

        async def read() -> dict[str, Any]:
            async with self.server.database.read() as session:
                values: dict[str, Any] = await resolve_all(session, resource["outputs"])
                return values

        return self.server.run(read())


def query(url: str, *statements: str) -> Any:
    """Connect as a workload does, run statements, and return the value of the last."""

    async def work() -> Any:
        connection = await asyncpg.connect(url, timeout=20)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(work())


@pytest.fixture(scope="session")
def yard(server: RunningServer) -> Yard:
    return Yard(server, server.client(server.token()))
