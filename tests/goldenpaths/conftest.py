"""Golden paths in repositories of the built-in host, and runs of them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from roadbed.core.actor import system_actor
from roadbed.scm.contract import (
    Author,
    FileContent,
    Repository,
    RepositoryWish,
    TreeChange,
    branch_ref,
    commit_files,
    create_repository,
    find_repository,
    load_folder,
)
from tests.support import RunningServer

TEMPLATES = Path(__file__).parent / "templates"


class Paths:
    """The shared server, and what tests do with golden paths on it."""

    def __init__(self, server: RunningServer, name: str) -> None:
        self.server = server
        self.name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[-40:].strip("-")
        self.api = server.client_as("admin")
        self.repository: Repository | None = None

    def publish(self, files: dict[str, FileContent]) -> str:
        """Put files into a repository of this test, have the catalog read its template, and return its name."""
        template = yaml.safe_load(files["path/template.yaml"].data)
        template["metadata"]["name"] = self.name
        files = {**files, "path/template.yaml": FileContent(yaml.safe_dump(template, sort_keys=False).encode())}
        first = self.repository is None
        self.commit(files)
        if first:
            answer = self.api.post(
                "/api/v1/locations",
                json={"type": "git", "target": f"roadbed:path-tests/{self.name}#main:*/template.yaml"},
            )
            assert answer.status_code == 201, answer.text
            self.wait(answer.json()["run_id"])
        return self.name

    def commit(self, files: dict[str, FileContent]) -> None:
        async def work() -> None:
            actor = system_actor("tests")
            if self.repository is None:
                async with self.server.database.write() as session:
                    wish = RepositoryWish("path-tests", self.name)
                    self.repository = await create_repository(session, actor, wish)
            change = TreeChange(branch_ref("main"), files, "Change.", Author("Ada", "ada@example.com"), is_whole=True)
            await commit_files(self.server.services, actor, self.repository.id, change)

        self.server.run(work())

    def publish_folder(self, name: str) -> str:
        """Publish a folder of `templates/`."""
        return self.publish({f"path/{path}": file for path, file in load_folder(TEMPLATES / name).items()})

    def publish_steps(self, *steps: dict[str, Any], **files: str) -> str:
        """Publish a template of these steps that asks for a name; `a__b` in a file's name stands for `a/b`."""
        spec = {
            "type": "service",
            "parameters": {"required": ["name"], "properties": {"name": {"type": "string"}}},
            "steps": list(steps),
        }
        template = {
            "apiVersion": "scaffolder.backstage.io/v1beta3",
            "kind": "Template",
            "metadata": {"name": "set-later"},
            "spec": spec,
        }
        contents = {f"path/{name.replace('__', '/')}": FileContent(text.encode()) for name, text in files.items()}
        return self.publish(
            {"path/template.yaml": FileContent(yaml.safe_dump(template, sort_keys=False).encode()), **contents}
        )

    def post(self, verb: str, *, key: str = "", **values: Any) -> httpx.Response:
        """Post values to this test's path."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.api.post(f"/api/v1/paths/default/{self.name}/{verb}", json={"values": values}, headers=headers)

    def start(self, **values: Any) -> dict[str, Any]:
        """Start a run and wait for its end."""
        answer = self.post("runs", **values)
        assert answer.status_code == 201, answer.text
        return self.wait(answer.json()["run_id"])

    def wait(self, run_id: str) -> dict[str, Any]:
        """Wait for the end of a run, on its live stream, and return it."""
        with self.api.stream("GET", f"/api/v1/runs/{run_id}/events") as stream:
            for line in stream.iter_lines():
                if line == "event: end":
                    break
        run: dict[str, Any] = self.api.get(f"/api/v1/runs/{run_id}").json()
        return run

    def log(self, run: dict[str, Any], step: str) -> str:
        lines = self.api.get(f"/api/v1/runs/{run['id']}/steps/{step}/log").json()["lines"]
        return "\n".join(line["text"] for line in lines)

    def find_repository(self, owner: str, name: str) -> Repository | None:
        async def find() -> Repository | None:
            async with self.server.database.read() as session:
                return await find_repository(session, owner, name)

        return self.server.run(find())

    def clone(self, owner: str, name: str, target: Path) -> Path:
        """Clone a repository with the ordinary git client."""
        host = self.server.base_url.removeprefix("http://")
        address = f"http://tests:{self.server.token()}@{host}/git/{owner}/{name}.git"
        subprocess.run(["git", "clone", "--quiet", address, str(target)], check=True, capture_output=True)
        return target


@pytest.fixture
def paths(server: RunningServer, request: pytest.FixtureRequest) -> Paths:
    """A place for one test, under a name of its own."""
    return Paths(server, request.node.name)


@pytest.fixture
def steps_of() -> Callable[[dict[str, Any]], dict[str, str]]:
    """Return the states of a run's steps by key."""
    return lambda run: {step["key"]: step["state"] for step in run["steps"]}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a clone."""
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()
