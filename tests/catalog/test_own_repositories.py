"""Locations in repositories of Roadbed's own git host."""

import pytest

from roadbed.core.actor import system_actor
from roadbed.scm.contract import (
    Author,
    FileContent,
    Repository,
    RepositoryWish,
    TreeChange,
    branch_ref,
    clone_url,
    commit_files,
    create_repository,
)
from tests.catalog.conftest import Place, component
from tests.support import RunningServer
from tests.waiting import wait_for


class Own:
    """A repository of the built-in host."""

    def __init__(self, server: RunningServer, name: str) -> None:
        self.server = server

        async def create() -> Repository:
            async with server.database.write() as session:
                return await create_repository(session, system_actor("tests"), RepositoryWish("catalog-tests", name))

        self.repository = server.run(create())
        self.url = clone_url(server.services, self.repository)

    def commit(self, branch: str = "main", **files: str) -> str:
        """Commit files whose names end in `.yaml`; `a__b` stands for `a/b`."""
        contents = {f"{name.replace('__', '/')}.yaml": FileContent(text.encode()) for name, text in files.items()}
        change = TreeChange(branch_ref(branch), contents, "Change", Author("Ada", "ada@example.com"))
        return self.server.run(commit_files(self.server.services, system_actor("tests"), self.repository.id, change))


def test_own_repository_is_kept_under_its_lasting_name(place: Place, server: RunningServer) -> None:
    own = Own(server, "lasting")
    first = own.commit(**{"catalog-info": component("own-a"), "other": component("own-unread")})
    run = place.register_target("git", own.url)
    assert run["state"] == "succeeded", run["error"]
    assert place.location()["target"] == "roadbed:catalog-tests/lasting"
    assert place.location()["revision"] == first
    assert place.get("component:default/own-a").status_code == 200
    assert place.get("component:default/own-unread").status_code == 404
    again = place.api.post("/api/v1/locations", json={"type": "git", "target": own.url.removesuffix(".git")})
    assert again.status_code == 409


def test_push_is_followed_at_once(place: Place, server: RunningServer) -> None:
    own = Own(server, "followed")
    own.commit(**{"catalog-info": component("pushed")})
    place.register_target("git", own.url)
    newest = own.commit(**{"catalog-info": component("pushed", lifecycle="deprecated")})
    wait_for(lambda: place.location()["revision"] == newest)
    assert place.get("component:default/pushed").json()["spec"]["lifecycle"] == "deprecated"


def test_only_the_branch_that_is_read_is_followed(place: Place, server: RunningServer) -> None:
    own = Own(server, "branched")
    own.commit(**{"catalog-info": component("branched-main")})
    own.commit("next", services__a=component("branched-next"))
    place.register_target("git", f"{own.url}#next:**/*.yaml")
    before = place.location()["run_id"]
    own.commit(**{"catalog-info": component("branched-main", lifecycle="deprecated")})
    newest = own.commit("next", services__a=component("branched-next", lifecycle="deprecated"))
    wait_for(lambda: place.location()["revision"] == newest)
    assert place.location()["run_id"] != before
    runs = place.api.get("/api/v1/runs", params={"subject": f"location:{place.id}"}).json()["items"]
    assert len(runs) == 2


@pytest.mark.parametrize("is_empty", [True, False])
def test_repository_without_the_file_says_so(place: Place, server: RunningServer, is_empty: bool) -> None:
    own = Own(server, "empty" if is_empty else "fileless")
    if not is_empty:
        own.commit(readme="a: b")
    run = place.register_target("git", own.url)
    assert run["state"] == "failed"
    expected = "has no commit yet" if is_empty else "There is no catalog-info.yaml"
    assert expected in run["error"]["message"]
