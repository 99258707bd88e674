"""Clients of the shared server, and catalogs on disk."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from roadbed.identity.contract import create_local_token
from tests.support import RunningServer


@pytest.fixture(scope="session")
def client_of(server: RunningServer) -> Callable[[str], httpx.Client]:
    """Return a client with the rights of a role."""
    clients: dict[str, httpx.Client] = {}

    async def make_token(role: str) -> str:
        async with server.database.write() as session:
            token = await create_local_token(session, role=role, made_by="tests")
        assert token.value is not None
        return token.value

    def get(role: str) -> httpx.Client:
        if role not in clients:
            clients[role] = server.client(server.run(make_token(role)))
        return clients[role]

    return get


@pytest.fixture(scope="session")
def api(client_of: Callable[[str], httpx.Client]) -> httpx.Client:
    """A client that may do everything."""
    return client_of("admin")


class Place:
    """A location of the shared server: files on disk, or a git repository, and the client to read it with."""

    def __init__(self, folder: Path, api: httpx.Client, server: RunningServer) -> None:
        self.folder = folder
        self.api = api
        self.server = server
        self.id = ""
        self.run_id = ""

    def write(self, **files: str) -> None:
        """Write files; `a__b` in a name stands for `a/b`, and `.yaml` is added."""
        for name, text in files.items():
            path = self.folder / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def register(self, target: str = "*.yaml") -> dict[str, Any]:
        """Register a glob of the folder as a location and wait for its first run."""
        return self.register_target("file", f"{self.folder}/{target}")

    def register_target(self, type_: str, target: str) -> dict[str, Any]:
        answer = self.api.post("/api/v1/locations", json={"type": type_, "target": target})
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["location_id"]
        return self.wait(answer.json()["run_id"])

    def refresh(self) -> dict[str, Any]:
        """Read again and wait."""
        answer = self.api.post(f"/api/v1/locations/{self.id}/refresh")
        assert answer.status_code == 202, answer.text
        return self.wait(answer.json()["run_id"])

    def wait(self, run_id: str) -> dict[str, Any]:
        """Wait for the end of a run, on its live stream, and return it."""
        self.run_id = run_id
        with self.api.stream("GET", f"/api/v1/runs/{run_id}/events") as stream:
            for line in stream.iter_lines():
                if line == "event: end":
                    break
        run: dict[str, Any] = self.api.get(f"/api/v1/runs/{run_id}").json()
        return run

    def location(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.get(f"/api/v1/locations/{self.id}").json()
        return answer

    def problems(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.location()["problems"]
        return found

    def get(self, ref: str) -> httpx.Response:
        return self.api.get(f"/api/v1/entities/{ref.replace(':', '/')}")

    def git(self, *arguments: str) -> str:
        """Run git in the folder, as somebody with a name."""
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
        }
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str = "change") -> str:
        """Commit everything and return the commit."""
        if not (self.folder / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def place(tmp_path: Path, api: httpx.Client, server: RunningServer) -> Place:
    """An empty place of one test."""
    return Place(tmp_path, api, server)


@pytest.fixture
def other_place(tmp_path_factory: pytest.TempPathFactory, api: httpx.Client, server: RunningServer) -> Place:
    """A second place."""
    return Place(tmp_path_factory.mktemp("other"), api, server)


def component(name: str, **spec: Any) -> str:
    """Return a sound component as YAML; values of `spec` are written as they are."""
    fields = {"type": "service", "lifecycle": "production", "owner": "team-none", **spec}
    lines = "".join(f"  {key}: {value}\n" for key, value in fields.items())
    return f"---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n{lines}"


def group(name: str, **spec: Any) -> str:
    """Return a sound group as YAML."""
    fields = {"type": "team", "children": "[]", **spec}
    lines = "".join(f"  {key}: {value}\n" for key, value in fields.items())
    return f"---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: {name}\nspec:\n{lines}"


def location(name: str, *targets: str) -> str:
    """Return a Location entity as YAML."""
    lines = "".join(f"    - {target}\n" for target in targets)
    return (
        f"---\napiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: {name}\nspec:\n  targets:\n{lines}"
    )
