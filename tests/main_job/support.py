"""A server of its own with a small golden path, and the jobs that people do on it."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests import plain_http
from tests.process import RoadbedProcess
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
PATH = Path(__file__).parent / "path"
OWNER = "group:default/makers"
TEAM = """apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: makers}
spec: {type: team, children: []}
"""
Json = dict[str, Any]


@dataclass
class Installation:
    """A running Roadbed whose catalog holds one team, the definition of databases, and the path `small-service`."""

    roadbed: RoadbedProcess
    folder: Path
    token: str = ""
    _client: httpx.Client | None = field(default=None, repr=False)

    @property
    def client(self) -> httpx.Client:
        """Speaks to the server as it is now: a server that was started again has another address."""
        if self._client is None or str(self._client.base_url).rstrip("/") != self.roadbed.url:
            self.close()
            self._client = self.roadbed.client(self.token)
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def prepare(self) -> None:
        """Start the server and give it the team and the path."""
        self.roadbed.start()
        self.token = self.roadbed.token()
        self.push_path()
        files = self.folder / "team.yaml"
        files.write_text(TEAM)
        for type_, target in (
            ("file", str(files)),
            ("git", "roadbed:makers/paths#main:template.yaml"),
        ):
            answer = self.post("/api/v1/locations", type=type_, target=target)
            assert self.ends(answer["run_id"])["state"] == "succeeded", target

    def push_path(self) -> None:
        """Put the golden path into a repository, as its maintainers do."""
        self.post("/api/v1/repositories", owner="makers", name="paths", is_protected=False)
        clone = self.folder / "paths"
        shutil.copytree(PATH, clone)
        self.git(clone, "init", "--quiet", "--initial-branch=main")
        self.git(clone, "add", "--all")
        self.git(clone, "commit", "--quiet", "--message=Add the path")
        self.git(clone, "push", "--quiet", self.address("makers", "paths"), "main")

    def address(self, owner: str, name: str) -> str:
        """Return the address of a repository for git, with the token in it."""
        return f"{self.roadbed.url.replace('://', f'://maker:{self.token}@')}/git/{owner}/{name}.git"

    def git(self, folder: Path, *arguments: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def get(self, path: str, **query: Any) -> Json:
        """Read something; while the database is away, which the server says, wait for it."""
        answer: httpx.Response = wait_for(lambda: self._ask(path, query), what=path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        found: Json = answer.json()
        return found

    def _ask(self, path: str, query: Json) -> httpx.Response | None:
        answer = self.client.get(path, params=query)
        return None if answer.status_code == 503 and answer.json()["code"] == "database_away" else answer

    def post(self, path: str, *, key: str = "", **body: Any) -> Json:
        answer = self.client.post(path, json=body, headers={"Idempotency-Key": key} if key else {})
        assert answer.is_success, f"{path}: {answer.text}"
        found: Json = answer.json()
        return found

    def create(self, name: str, *, key: str = "", **values: Any) -> str:
        """Start the creation of a service, once for each key, which is the name by default. Returns the run's id."""
        values = {"name": name, "owner": OWNER, **values}
        run_id: str = self.post("/api/v1/paths/default/small-service/runs", key=key or name, values=values)["run_id"]
        return run_id

    def run(self, run_id: str) -> Json:
        return self.get(f"/api/v1/runs/{run_id}")

    def ends(self, run_id: str, *, seconds: float = 120) -> Json:
        """Wait for the end of a run."""
        run: Json = wait_for(lambda: (run := self.run(run_id))["finished_at"] and run, seconds=seconds, what=run_id)
        return run

    def family(self, run_id: str) -> Iterator[Json]:
        """Give a run, its children and theirs."""
        run = self.run(run_id)
        yield run
        for child in run["children"]:
            yield from self.family(child["id"])

    def find_run(self, run_id: str, kind: str) -> Json | None:
        """Return the first run of a kind below a run."""
        return next((run for run in self.family(run_id) if run["kind"] == kind), None)


def open_service(url: str) -> httpx.Response:
    """Open a workload's own address, as a browser does: every name under localhost is this machine."""
    address = httpx.URL(url)
    assert address.host.endswith(".localhost")
    return plain_http.get(address.copy_with(host="127.0.0.1"), headers={"Host": address.netloc.decode()})


def cancel_hello(client: httpx.Client) -> None:
    """Cancel what the sample creates at the first start, where a test is about something else."""

    def list_creations() -> list[Json]:
        found: list[Json] = client.get("/api/v1/runs", params={"kind": "goldenpaths.create"}).json()["items"]
        return found

    run_id = wait_for(list_creations, what="the creation of hello")[0]["id"]
    client.post(f"/api/v1/runs/{run_id}/cancel", json={"undo": False}).raise_for_status()
