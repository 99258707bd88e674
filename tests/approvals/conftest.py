"""People who ask, who decide, and who only look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from roadbed.core.actor import Actor
from roadbed.identity.contract import find_account, find_actor
from roadbed.runs.contract import RunPlan, StepPlan, start_run
from tests.identity.people import Person, new_name, new_person
from tests.support import RunningServer
from tests.waiting import wait_for

JSON = {"accept": "application/json"}
PAGE = {"accept": "text/html"}


@dataclass
class Office:
    """A server with people: `ada` asks, `bob` approves by his group, `carl` does not, `admin` may decide on all."""

    server: RunningServer
    group: str
    ada: Person
    bob: Person
    carl: Person
    admin: httpx.Client

    def actor(self, person: Person) -> Actor:
        async def find() -> Actor:
            async with self.server.database.read() as session:
                account = await find_account(session, person.name)
                assert account is not None
                actor = await find_actor(session, account.id)
                assert actor is not None
                return actor

        return self.server.run(find())

    def start(self, asker: Person | None = None, **inputs: Any) -> str:
        """Start a run that asks for approval and then does one more thing; return its id."""
        actor = self.actor(asker or self.ada)
        given = {"title": f"Deploy {new_name('app')} to production", "approvers": [self.group], **inputs}
        steps = (StepPlan("ask", "Ask", "approvals.ask", given), StepPlan("after", "After", "test.echo", {"say": "on"}))

        async def start() -> UUID:
            async with self.server.database.write() as session:
                plan = RunPlan("test.approval", given["title"], steps, subject="component:default/orders")
                return (await start_run(session, actor, plan)).id

        return str(self.server.run(start()))

    def run_of(self, run_id: str, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the run is as wanted, and return it."""
        run: dict[str, Any] = wait_for(lambda: self.admin.get(f"/api/v1/runs/{run_id}").json(), is_it)
        return run

    def waits(self, run_id: str) -> dict[str, Any]:
        """Wait until the run waits; return its approval."""
        self.run_of(run_id, lambda run: run["state"] == "waiting")
        found = self.admin.get("/api/v1/approvals", params={"run": run_id, "state": "waiting"}).json()["items"]
        assert len(found) == 1
        approval: dict[str, Any] = found[0]
        return approval

    def ends(self, run_id: str) -> dict[str, Any]:
        return self.run_of(run_id, lambda run: run["finished_at"] is not None)


@pytest.fixture(scope="session")
def office(server: RunningServer) -> Office:
    """One office for all tests here; each test asks its own questions."""
    ada, bob, carl = (new_person(server, "developer") for _ in range(3))
    admin = server.client(server.token())
    group = new_name("approvers")
    documents = f"""
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {{name: {group}}}
spec: {{type: team, children: []}}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {{name: {bob.name}}}
spec: {{memberOf: [{group}]}}
"""
    answer = admin.post("/api/v1/entities", content=documents, headers={"Content-Type": "application/yaml"})
    assert answer.is_success, answer.text
    return Office(server, f"group:default/{group}", ada, bob, carl, admin)


def decide(person: Person, approval: dict[str, Any], verb: str, comment: str = "") -> httpx.Response:
    return person.browser.post(f"/api/v1/approvals/{approval['id']}/{verb}", json={"comment": comment}, headers=JSON)
