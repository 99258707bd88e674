"""Repositories and change requests over REST."""

from typing import Any

import httpx
import pytest

from tests.scm.conftest import Person, Project
from tests.scm.support import new_name
from tests.scm.test_changes import push_branch
from tests.support import RunningServer
from tests.waiting import wait_for

BASE = "/api/v1/repositories"


def create(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post(BASE, json={"owner": "api", "name": new_name(), **fields})


@pytest.fixture
def api(server: RunningServer, ada: Person) -> httpx.Client:
    return server.client(ada.token)


def test_created_repository_is_given_with_its_clone_address(server: RunningServer, api: httpx.Client) -> None:
    answer = create(api, description="Orders")
    assert answer.status_code == 201
    body = answer.json()
    assert body["clone_url"] == f"{server.base_url}/git/{body['full_name']}.git"
    assert (body["default_branch"], body["is_protected"], body["has_commits"]) == ("main", True, False)
    assert api.get(f"{BASE}/{body['full_name']}").json() == body


def test_taken_name_is_a_conflict_with_a_code(api: httpx.Client) -> None:
    body = create(api).json()
    answer = create(api, name=body["name"])
    assert answer.status_code == 409
    assert answer.json()["code"] == "scm.repository_exists"
    assert "Choose another name" in answer.json()["hint"]


def test_same_idempotency_key_creates_once(api: httpx.Client) -> None:
    name = new_name()
    headers = {"Idempotency-Key": f"key-{name}"}
    body = {"owner": "api", "name": name}
    first = api.post(BASE, json=body, headers=headers)
    again = api.post(BASE, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]


def test_unsound_name_says_what_it_should_be(api: httpx.Client) -> None:
    answer = create(api, name="No Good")
    assert answer.status_code == 422
    assert answer.json()["code"] == "scm.invalid_name"


def test_repositories_are_paged_and_searched(api: httpx.Client) -> None:
    owner = new_name("owner")
    names = [create(api, owner=owner).json()["name"] for _ in range(3)]
    first = api.get(BASE, params={"owner": owner, "limit": 2}).json()
    rest = api.get(BASE, params={"owner": owner, "limit": 2, "cursor": first["next_cursor"]}).json()
    assert sorted(item["name"] for item in first["items"] + rest["items"]) == sorted(names)
    assert rest["next_cursor"] is None
    assert [item["name"] for item in api.get(BASE, params={"q": f"{owner}/{names[1]}"}).json()["items"]] == [names[1]]


def test_viewer_reads_and_may_not_create_or_delete(
    server: RunningServer, project: Project, viewer: Person, ada: Person
) -> None:
    client = server.client(viewer.token)
    path = f"{BASE}/{project.repository.full_name}"
    assert client.get(path).status_code == 200
    assert create(client).status_code == 403
    assert client.delete(path).status_code == 403
    assert server.client(ada.token).delete(path).status_code == 403
    assert server.client().get(path).status_code == 401


def test_content_is_read_without_a_clone(api: httpx.Client, project: Project) -> None:
    path = f"{BASE}/{project.repository.full_name}"
    branches = api.get(f"{path}/branches").json()["items"]
    assert branches == [{"name": "main", "sha": project.first_commit, "is_default": True}]
    assert [entry["path"] for entry in api.get(f"{path}/tree").json()["items"]] == ["README.md"]
    assert api.get(f"{path}/file", params={"path": "README.md"}).content == b"# Orders\n"
    commit = api.get(f"{path}/commits").json()["items"][0]
    assert (commit["sha"], commit["subject"], commit["author"]["name"]) == (project.first_commit, "Begin", "Ada")
    assert api.get(f"{path}/file", params={"path": "nope"}).json()["code"] == "scm.path_not_found"


def test_change_request_goes_its_way_over_rest(
    server: RunningServer, project: Project, api: httpx.Client, bob: Person
) -> None:
    head = push_branch(project)
    path = f"{BASE}/{project.repository.full_name}"
    opened = api.post(f"{path}/change-requests", json={"source_branch": "feature", "title": "Add"})
    assert (opened.status_code, opened.json()["number"]) == (201, 1)
    admin = server.client(server.token())
    said = admin.post(f"{path}/commits/{head}/statuses", json={"context": "pipeline/test", "state": "success"})
    assert said.status_code == 201
    change = f"{path}/change-requests/1"
    blocked = api.post(f"{change}/merge")
    assert (blocked.status_code, blocked.json()["code"]) == (409, "scm.merge_blocked")
    assert blocked.json()["context"]["reasons"] == [f"It needs 1 more approval of {head[:7]}."]
    assert api.post(f"{change}/approve").json()["code"] == "scm.own_approval"
    other = server.client(bob.token)
    assert other.post(f"{change}/comments", json={"body": "Fine."}).status_code == 201
    assert other.post(f"{change}/approve").status_code == 201
    detail = api.get(change).json()
    assert detail["blocks"] == detail["conflicts"] == []
    assert [check["context"] for check in detail["checks"]] == ["pipeline/test"]
    assert [file["path"] for file in detail["files"]] == ["src/new.py"]
    merged = api.post(f"{change}/merge", json={"method": "squash"})
    assert (merged.status_code, merged.json()["state"]) == (200, "merged")
    assert api.get(f"{path}/change-requests", params={"state": "merged"}).json()["items"][0]["number"] == 1


def test_deleted_repository_is_gone_with_its_folder(server: RunningServer, project: Project) -> None:
    admin = server.client(server.token())
    path = f"{BASE}/{project.repository.full_name}"
    folder = server.home / "repositories" / f"{project.repository.id}.git"
    assert folder.is_dir()
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404
    wait_for(lambda: not folder.exists())


def test_renamed_repository_is_cloned_under_its_new_name(server: RunningServer, project: Project) -> None:
    admin = server.client(server.token())
    renamed = new_name("renamed")
    answer = admin.patch(f"{BASE}/{project.repository.full_name}", json={"name": renamed})
    assert answer.json()["full_name"] == f"shop/{renamed}"
    url = project.workspace.url.replace(project.repository.name, renamed)
    assert project.workspace.git("ls-remote", url, "main").startswith(project.first_commit)


def test_secrets_are_listed_put_and_deleted_and_never_given_back(server: RunningServer, ada: Person) -> None:
    admin = server.client(server.token())
    path = f"api/{new_name('secret')}"
    put = admin.put(f"/api/v1/secrets/{path}", json={"value": "do-not-give-back"})
    assert (put.status_code, put.json()["reference"], put.json()["version"]) == (200, f"secret://{path}", 1)
    listed = admin.get("/api/v1/secrets", params={"prefix": path})
    assert [item["path"] for item in listed.json()["items"]] == [path]
    assert "do-not-give-back" not in put.text + listed.text
    assert admin.get(f"/api/v1/secrets/{path}").status_code == 405
    assert admin.put("/api/v1/secrets/UPPER", json={"value": "do-not-give-back"}).status_code == 422
    assert server.client(ada.token).get("/api/v1/secrets").status_code == 403
    assert admin.delete(f"/api/v1/secrets/{path}").status_code == 204
    assert admin.delete(f"/api/v1/secrets/{path}").json()["code"] == "secrets.secret_not_found"


def test_commits_are_paged_and_new_ones_shift_nothing(server: RunningServer, project: Project, bob: Person) -> None:
    shas = [project.first_commit, *(project.workspace.commit(f"src/{n}.py", f"{n}\n", f"Add {n}") for n in range(4))]
    project.workspace.git("push", "-q", "origin", "HEAD:refs/heads/long")
    api, path = server.client(bob.token), f"{BASE}/{project.repository.full_name}/commits"
    found: list[str] = []
    page = api.get(path, params={"at": "long", "limit": 2}).json()
    project.workspace.commit("src/late.py", "late\n", "Come late")
    project.workspace.git("push", "-q", "origin", "HEAD:refs/heads/long")
    while True:
        found += [commit["sha"] for commit in page["items"]]
        if page["next_cursor"] is None:
            break
        page = api.get(path, params={"at": "long", "limit": 2, "cursor": page["next_cursor"]}).json()
    assert found == shas[::-1]
    of_one = api.get(path, params={"at": "long", "path": "src/2.py"}).json()
    assert [commit["subject"] for commit in of_one["items"]] == ["Add 2"]
