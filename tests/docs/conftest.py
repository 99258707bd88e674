"""Repositories of the built-in host with Markdown in them, and what Roadbed makes of it."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest

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
)
from tests.support import RunningServer
from tests.waiting import wait_for

_numbers = count(1)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c626001000000050001"
    "0d0a2db40000000049454e44ae426082"
)


@dataclass
class Library:
    """A repository that declares a component with documentation."""

    server: RunningServer
    api: httpx.Client
    name: str
    repository: Repository
    annotations: dict[str, str] = field(default_factory=lambda: {"backstage.io/techdocs-ref": "dir:."})
    location_id: str = ""

    @property
    def href(self) -> str:
        return f"/docs/component/default/{self.name}"

    def commit(self, files: dict[str, str | bytes | None], *, links: dict[str, str] | None = None) -> str:
        """Commit files on main, with the catalog file; None deletes one."""
        written = {
            path: FileContent(content if isinstance(content, bytes) else content.encode())
            for path, content in files.items()
            if content is not None
        }
        written |= {path: FileContent(to.encode(), is_link=True) for path, to in (links or {}).items()}
        annotations = "".join(f"    {name}: {value}\n" for name, value in self.annotations.items())
        written["catalog-info.yaml"] = FileContent(
            f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {self.name}\n"
            f"  annotations:\n{annotations}spec: {{type: service, lifecycle: production, owner: team-a}}\n".encode()
        )
        gone = tuple(path for path, content in files.items() if content is None)
        change = TreeChange(branch_ref("main"), written, "Change", Author("Ada", "ada@example.com"), deleted=gone)
        actor = system_actor("tests")
        return self.server.run(commit_files(self.server.services, actor, self.repository.id, change))

    def register(self) -> None:
        answer = self.api.post(
            "/api/v1/locations", json={"type": "git", "target": f"roadbed:{self.repository.full_name}"}
        )
        assert answer.status_code == 201, answer.text
        self.location_id = answer.json()["location_id"]

    def site(self) -> dict[str, Any]:
        answer = self.api.get(f"/api/v1{self.href}")
        return answer.json() if answer.status_code == 200 else {}

    def built(self, revision: str) -> dict[str, Any]:
        """Wait until a commit is built, and return the site."""
        site: dict[str, Any] = wait_for(
            self.site,
            lambda found: (found.get("version") or {}).get("revision") == revision and found["state"] == "ready",
            what=f"the documentation of {self.name} at {revision}",
        )
        return site

    def failed(self) -> dict[str, Any]:
        site: dict[str, Any] = wait_for(self.site, lambda found: found.get("state") == "failed")
        return site

    def page(self, path: str, version: str = "latest") -> httpx.Response:
        return self.api.get(f"{self.href}/{version}/{path}")

    def links(self, kind: str = "broken") -> list[dict[str, str]]:
        items: list[dict[str, str]] = self.api.get(f"/api/v1{self.href}/links", params={"kind": kind}).json()["items"]
        return items


@pytest.fixture(scope="session")
def docs_api(server: RunningServer) -> httpx.Client:
    return server.client_as("admin")


@pytest.fixture
def library(server: RunningServer, docs_api: httpx.Client) -> Library:
    return make_library(server, docs_api)


def make_library(server: RunningServer, api: httpx.Client) -> Library:
    name = f"docs-{next(_numbers)}"

    async def create() -> Repository:
        async with server.database.write() as session:
            return await create_repository(session, system_actor("tests"), RepositoryWish("docs-tests", name))

    return Library(server, api, name, server.run(create()))
