"""kill -9 at each point of a change of many entities: one change request a repository, one change an entity, one end.

The server stands still at a point because the test holds a lock in its database that the next statement needs.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from roadbed.core.home import open_home_database
from roadbed.core.settings import load_settings
from tests.catalog.conftest import component
from tests.folders import make_home
from tests.main_job.support import Installation
from tests.process import RoadbedProcess
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

KEPT = [f"component:default/kept-{name}" for name in "abc"]
HELD = {"first": ["git-a", "git-b"], "second": ["git-c"]}
IN_GIT = [f"component:default/{name}" for names in HELD.values() for name in names]

ENTITY = "SELECT 1 FROM entities WHERE ref = '{}' FOR UPDATE"
STEP = "SELECT 1 FROM run_steps WHERE key = '{}' FOR UPDATE"
BEGUN = "SELECT progress_done IS NOT NULL FROM run_steps WHERE key = '{}'"
RETIRED = "SELECT count(*) = {} FROM entities WHERE lifecycle = 'retired'"
WAITS = """
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND %s = ANY(pg_blocking_pids(pid))
"""


@dataclass(frozen=True)
class Point:
    """Where the server is killed.

    Args:
        what: has happened by then, and what has not.
        lock: the statement that takes it.
        proof: a query that tells whether it has happened.
        approach: a lock that is let go when `lock` is taken: of a step that has begun, where `lock` would keep it from
            beginning; and the query that tells so.
    """

    what: str
    lock: str
    proof: str
    approach: tuple[str, str] | None = None


POINTS = (
    Point("one entity is changed, the next is not", ENTITY.format(KEPT[1]), RETIRED.format(1)),
    Point(
        "all are changed, the step is not done",
        STEP.format("kept"),
        RETIRED.format(3),
        (ENTITY.format(KEPT[2]), BEGUN.format("kept")),
    ),
    Point(
        "a branch is made, nobody was told",
        "LOCK TABLE repository_refs IN SHARE MODE",
        "SELECT writer IS NOT NULL FROM repositories WHERE name = 'first'",
    ),
    Point(
        "the branch was told of, the change request is not written",
        "LOCK TABLE change_requests IN SHARE MODE",
        "SELECT count(*) = 1 FROM repository_refs WHERE ref LIKE 'refs/heads/catalog/%'",
    ),
    Point(
        "the change request is open, the run does not link to it",
        "LOCK TABLE run_links IN SHARE MODE",
        "SELECT count(*) = 1 FROM change_requests",
    ),
    Point(
        "the run links to the change request, the step is not done",
        STEP.format("repository-1"),
        "SELECT count(*) = 1 FROM run_links",
        ("LOCK TABLE run_links IN SHARE MODE", "SELECT count(*) = 1 FROM change_requests"),
    ),
    Point(
        "the first repository is done, the change request of the second is open",
        "LOCK TABLE run_links IN SHARE MODE",
        "SELECT count(*) = 2 FROM change_requests",
        ("SELECT 1 FROM repositories WHERE name = 'second' FOR UPDATE", BEGUN.format("repository-2")),
    ),
)


class Site(Installation):
    """A server with entities that it keeps, and others in two repositories."""

    def prepare(self) -> None:
        self.roadbed.start()
        self.token = self.roadbed.token()
        text = "".join(component(ref.rpartition("/")[2]) for ref in KEPT)
        put = self.client.post("/api/v1/entities", content=text, headers={"Content-Type": "application/yaml"})
        assert put.is_success, put.text
        for name, entities in HELD.items():
            self.post("/api/v1/repositories", owner="makers", name=name, is_protected=False)
            clone = self.folder / name
            clone.mkdir()
            (clone / "catalog-info.yaml").write_text("".join(map(component, entities)))
            self.git(clone, "init", "--quiet", "--initial-branch=main")
            self.git(clone, "add", "--all")
            self.git(clone, "commit", "--quiet", "--message=Begin")
            self.git(clone, "push", "--quiet", self.address("makers", name), "main")
            reading = self.post("/api/v1/locations", type="git", target=f"roadbed:makers/{name}#main")
            assert self.ends(reading["run_id"])["state"] == "succeeded"

    def database_url(self) -> str:
        """Return the address of the server's own database."""

        async def find() -> str:
            async with open_home_database(load_settings(home=self.roadbed.home)) as home:
                return home.database_url

        with ThreadPoolExecutor(1) as pool:  # the test may have a loop
            return pool.submit(asyncio.run, find()).result()

    def actions(self, ref: str) -> list[str]:
        found = self.get("/api/v1/audit", subject=ref, action="catalog.change_proposed")["items"]
        return [entry["action"] for entry in found]

    def branches(self, name: str) -> list[str]:
        listed = self.git(self.folder / name, "ls-remote", "--heads", self.address("makers", name))
        return [line.rpartition("refs/heads/")[2] for line in listed.splitlines()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    home = make_home(tmp_path)
    site = Site(RoadbedProcess(home), tmp_path)
    try:
        site.prepare()
        yield site
    finally:
        site.close()
        if site.roadbed.process is not None and site.roadbed.process.poll() is None:
            assert site.roadbed.stop() == 0, site.roadbed.output


class Gate:
    """Locks in the database of a server, at which it stands still."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self._url = url
        self._stack = stack
        self._looker = stack.enter_context(psycopg.connect(url, autocommit=True))

    def close(self, lock: str) -> psycopg.Connection[Any]:
        """Take a lock, and return the connection that holds it until it is closed."""
        holder = self._stack.enter_context(psycopg.connect(self._url))
        holder.execute(lock)
        return holder

    def wait(self, holder: psycopg.Connection[Any], proof: str, *, what: str) -> None:
        """Wait until the server stands at a lock, and what a query tells has come about."""
        wait_for(lambda: self._ask(WAITS, holder.info.backend_pid) and self._ask(proof), what=what)

    def _ask(self, query: str, *values: object) -> Any:
        row = self._looker.execute(query, values or None).fetchone()
        assert row is not None, query
        return row[0]


def kill_at(site: Site, url: str, point: Point, begin: Callable[[], object]) -> None:
    """Have the server come to a point, and kill it there."""
    with ExitStack() as stack:
        gate = Gate(url, stack)
        lock, proof = point.approach or (point.lock, point.proof)
        holder = gate.close(lock)
        begin()
        gate.wait(holder, proof, what=point.what)
        if point.approach is not None:
            first, holder = holder, gate.close(point.lock)
            first.close()
            gate.wait(holder, point.proof, what=point.what)
        site.roadbed.kill()


def test_change_of_many_is_made_once_wherever_the_server_is_killed(site: Site) -> None:
    started: list[str] = []

    def start() -> None:
        made = site.post("/api/v1/entities/bulk", field="lifecycle", value="retired", refs=[*KEPT, *IN_GIT])
        started.append(made["run_id"])

    url = site.database_url()
    for point in POINTS:
        try:
            kill_at(site, url, point, site.roadbed.start if started else start)
        except AssertionError as error:
            error.add_note(site.roadbed.log()[-5000:])
            raise
    site.roadbed.start()
    run = site.ends(started[0])
    assert run["state"] == "succeeded", run["error"]
    assert {step["key"]: step["attempt"] for step in run["steps"]} == {"kept": 3, "repository-1": 5, "repository-2": 2}
    assert [step["note"] for step in run["steps"]] == ["3 entities changed", "2 entities changed", "1 entity changed"]
    assert [link["title"] for link in run["links"]] == ["makers/first #1", "makers/second #1"]
    for ref in KEPT:
        path = f"/api/v1/entities/{ref.replace(':', '/')}"
        assert site.get(path)["spec"]["lifecycle"] == "retired"
        assert [one["change"] for one in site.get(f"{path}/history")["items"]] == ["updated", "created"]
    for name, entities in HELD.items():
        (change,) = site.get(f"/api/v1/repositories/makers/{name}/change-requests")["items"]
        assert (change["number"], change["state"]) == (1, "open")
        detail = site.get(f"/api/v1/repositories/makers/{name}/change-requests/1")
        count = len(entities)
        assert [(file["added"], file["removed"]) for file in detail["files"]] == [(count, count)]
        assert len(detail["commits"]) == 1
        assert sorted(site.branches(name)) == sorted([detail["source_branch"], "main"])
    assert {ref: len(site.actions(ref)) for ref in IN_GIT} == dict.fromkeys(IN_GIT, 1)
    assert site.get("/api/v1/inventory", unexplained=True)["items"] == []
