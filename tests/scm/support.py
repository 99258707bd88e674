"""An ordinary git client, and repositories for it."""

import os
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.events import EventRow
from roadbed.scm.contract import Repository, RepositoryWish, create_repository, get_repository
from tests.support import RunningServer

T = TypeVar("T")
_numbers = count(1)


@dataclass(frozen=True)
class Said:
    """How a git command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Workspace:
    """A clone in a folder. `url` carries the token."""

    folder: Path
    url: str

    def try_git(self, *arguments: str, stdin: bytes | None = None) -> Said:
        result = subprocess.run(
            ("git", *arguments),
            cwd=self.folder,
            env=git_env(self.folder),
            capture_output=True,
            input=stdin,
            check=False,
        )
        return Said(result.returncode, result.stdout.decode(), result.stderr.decode())

    def git(self, *arguments: str) -> str:
        said = self.try_git(*arguments)
        assert said.code == 0, f"git {arguments}: {said.err}"
        return said.out.strip()

    def commit(self, path: str, text: str, message: str = "Change") -> str:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")


def git_env(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "LC_ALL": "C",
    }


def read(server: RunningServer, work: Callable[[ReadSession], Awaitable[T]]) -> T:
    async def run() -> T:
        async with server.database.read() as session:
            return await work(session)

    return server.run(run())


def write(server: RunningServer, work: Callable[[WriteSession], Awaitable[T]]) -> T:
    async def run() -> T:
        async with server.database.write() as session:
            return await work(session)

    return server.run(run())


def new_name(kind: str = "repo") -> str:
    return f"{kind}-{next(_numbers)}"


def make_repository(server: RunningServer, *, by: Actor | None = None, is_protected: bool = True) -> Repository:
    """Create a repository with a fresh name; without `by` it belongs to Roadbed itself."""
    wish = RepositoryWish("shop", new_name(), is_protected=is_protected)
    return write(server, lambda session: create_repository(session, by or system_actor("tests"), wish))


def refresh(server: RunningServer, repository: Repository) -> Repository:
    return read(server, lambda session: get_repository(session, repository.owner, repository.name))


def url_of(server: RunningServer, repository: Repository, token: str) -> str:
    host = server.base_url.removeprefix("http://")
    return f"http://x:{token}@{host}/git/{repository.full_name}.git"


def clone(server: RunningServer, repository: Repository, token: str, folder: Path) -> Workspace:
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(folder, url_of(server, repository, token))
    workspace.git("clone", "-q", workspace.url, ".")
    return workspace


def list_events(server: RunningServer, repository: Repository, name: str = "scm.pushed") -> list[dict[str, Any]]:
    """Return the payloads of all events of a repository, in order."""

    async def find(session: ReadSession) -> list[dict[str, Any]]:
        query = select(EventRow).where(EventRow.aggregate == f"repository:{repository.id}", EventRow.name == name)
        return [row.payload for row in await session.scalars(query.order_by(EventRow.position))]

    return read(server, find)
