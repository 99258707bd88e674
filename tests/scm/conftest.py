"""Fixtures of the scm tests: people with tokens, and a repository with a first commit."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import WriteSession
from roadbed.identity.contract import AccountWish, TokenWish, create_account, create_token, find_actor
from roadbed.identity.models import Token
from roadbed.kit.clock import now
from roadbed.scm.contract import Repository
from tests.scm.support import Workspace, clone, make_repository, new_name, refresh, write
from tests.support import RunningServer


@dataclass(frozen=True)
class Person:
    """An account as an actor, with a token of its own."""

    actor: Actor
    token: str


@dataclass(frozen=True)
class Project:
    """A repository of Ada's with one commit on its protected main, and her clone."""

    server: RunningServer
    owner: Person
    repository: Repository
    workspace: Workspace
    first_commit: str

    def current(self) -> Repository:
        return refresh(self.server, self.repository)


def make_person(server: RunningServer, role: str) -> Person:
    async def make(session: WriteSession) -> Person:
        wish = AccountWish(new_name("person"), roles=(role,))
        result = await create_account(session, system_actor("tests"), wish)
        actor = await find_actor(session, result.account.id)
        assert actor is not None
        token = await create_token(session, actor, TokenWish("git"))
        assert token.value is not None
        return Person(actor, token.value)

    return write(server, make)


def expire_tokens(server: RunningServer, actor: Actor) -> None:
    change = update(Token).where(Token.account_id == UUID(actor.id)).values(expires_at=now() - timedelta(seconds=1))
    write(server, lambda session: session.execute(change))


@pytest.fixture(scope="session")
def ada(server: RunningServer) -> Person:
    return make_person(server, "developer")


@pytest.fixture(scope="session")
def bob(server: RunningServer) -> Person:
    return make_person(server, "developer")


@pytest.fixture(scope="session")
def viewer(server: RunningServer) -> Person:
    return make_person(server, "viewer")


@pytest.fixture
def project(server: RunningServer, ada: Person, tmp_path: Path) -> Project:
    repository = make_repository(server, by=ada.actor)
    workspace = clone(server, repository, ada.token, tmp_path / "clone")
    sha = workspace.commit("README.md", "# Orders\n", "Begin")
    workspace.git("push", "-q", "origin", "HEAD:main")
    return Project(server, ada, repository, workspace, sha)
