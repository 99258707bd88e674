"""The pages of repositories in a browser: at both widths, in both themes, without a fault; and the way through them."""

import base64
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from roadbed.core.actor import system_actor
from roadbed.scm.contract import (
    Author,
    ChangeRequestWish,
    FileContent,
    Repository,
    StatusState,
    StatusWish,
    TreeChange,
    commit_files,
    open_change_request,
    set_commit_status,
)
from roadbed.scm.service.host import BuiltinHost
from tests.identity.people import Person, new_person
from tests.scm.support import git_env, make_repository, new_name, refresh, write
from tests.support import RunningServer
from tests.waiting import wait_for
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch

pytestmark = pytest.mark.slow

ACTOR = system_actor("tests")
AUTHOR = Author("Ada Lovelace", "ada@example.org")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
README = """# Orders

Takes and tracks customer orders. See [how it works](docs/how.md), [the code](src/main.py#L3) and [usage](#usage).

![pixel](docs/pixel.png) ![badge](https://badge.example/x.svg)

## Usage

```python
def main() -> int:
    return 0
```

| Variable | For |
|---|---|
| `PORT` | where it listens |

<script>alert(1)</script><p onclick="alert(2)" style="color: red">A paragraph</p>
"""
FILES = {
    "README.md": FileContent(README.encode()),
    "docs/how.md": FileContent(b"# How\n\nBack to [the start](../README.md).\n"),
    "docs/pixel.png": FileContent(PIXEL),
    "src/main.py": FileContent(b'"""Orders."""\n\nimport os\n\nPORT = 8000  # where it listens\n'),
    'src/a folder/für "q".txt': FileContent(b"x\n"),
    "data.bin": FileContent(bytes(range(256))),
    "empty": FileContent(b""),
}


@dataclass(frozen=True)
class Scene:
    """A repository with some life, an empty one, and who looks at them."""

    server: RunningServer
    repository: Repository
    empty: Repository
    sha: str
    reader: Person
    manager: Person

    def open(self, browser: Browser, path: str, *, as_: Person | None = None, **look: object) -> WatchedPage:
        watched = watch(browser, **look)  # type: ignore[arg-type]  # width and theme
        return watched.open_as((as_ or self.manager).session, self.server.base_url + path)


def commit(server: RunningServer, repository: Repository, change: TreeChange) -> str:
    return server.run(commit_files(server.services, ACTOR, repository.id, change))


def change_port(server: RunningServer, repository: Repository, branch: str) -> str:
    text = b'"""Orders."""\n\nimport os\n\nPORT = int(os.environ["PORT"])\n'
    files = {"src/main.py": FileContent(text)}
    base = server.run(_tip(server, repository))
    message = f"Read the port from the environment\n\nSo that {branch} can run beside others."
    return commit(server, repository, TreeChange(f"refs/heads/{branch}", files, message, AUTHOR, parent=base))


async def _tip(server: RunningServer, repository: Repository) -> str:
    return (await server.services.get(BuiltinHost).list_branches(repository))["main"]


@pytest.fixture(scope="module")
def scene(server: RunningServer) -> Scene:
    """What tests look at; one that changes it makes a scene of its own, as their order is not fixed."""
    return make_scene(server)


def make_scene(server: RunningServer) -> Scene:
    repository = make_repository(server)
    sha = commit(server, repository, TreeChange("refs/heads/main", FILES, "Begin", AUTHOR, is_whole=True))
    repository = refresh(server, repository)
    for branch in ("feature/port", "waiting"):
        head = change_port(server, repository, branch)
        wish = ChangeRequestWish(branch, f"Take the port from the environment, {branch}", "Because *two* run at once.")
        write(server, lambda session, wish=wish: open_change_request(session, ACTOR, repository, wish))  # type: ignore[misc]
        for context, state in (("pipeline/lint", StatusState.SUCCESS), ("pipeline/test", StatusState.PENDING)):
            status = StatusWish(context, state, "48 tests")
            write(
                server,
                lambda session, head=head, status=status: set_commit_status(  # type: ignore[misc]
                    session, ACTOR, repository, sha=head, status=status
                ),
            )
    return Scene(
        server,
        repository,
        make_repository(server),
        sha,
        new_person(server, "viewer"),
        new_person(server, "platform-engineer"),
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def window(scene: Scene, browser: Browser) -> WatchedPage:
    return scene.open(browser, "/repositories")


PAGES = {
    "list": "/repositories",
    "list-nothing": "/repositories?q=nothing-has-this-name",
    "new": "/repositories/new",
    "repository": "{base}",
    "branch": "{base}?at=feature/port",
    "folder": "{base}/tree/src",
    "file": "{base}/file/src/main.py",
    "markdown": "{base}/file/README.md",
    "binary": "{base}/file/data.bin",
    "commits": "{base}/commits?at=feature/port",
    "commit": "{base}/commits/{sha}",
    "changes": "{base}/changes",
    "changes-none": "{base}/changes?state=merged",
    "change-new": "{base}/changes/new?source=feature/port",
    "change": "{base}/changes/1",
    "settings": "{base}/settings",
    "empty": "{empty}",
    "secrets": "/secrets",
}


@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound(scene: Scene, window: WatchedPage, name: str) -> None:
    base, empty = f"/repositories/{scene.repository.full_name}", f"/repositories/{scene.empty.full_name}"
    path = PAGES[name].format(base=base, empty=empty, sha=scene.sha)
    window.visit(scene.server.base_url + path)
    assert window.look_around(ROOT / "test-artifacts" / "scm", name) == []


def test_readme_leads_to_files_and_carries_no_code_of_others(scene: Scene, browser: Browser) -> None:
    base = f"/repositories/{scene.repository.full_name}"
    watched = scene.open(browser, base)
    page = watched.page
    assert page.get_by_role("link", name="the code").get_attribute("href") == f"{base}/file/src/main.py#text-L3"
    assert page.locator(".prose img").evaluate_all("images => images.map(image => image.naturalWidth)") == [1]
    assert page.locator(".prose script, .prose [onclick], .prose [style]").count() == 0
    page.get_by_role("link", name="how it works").click()
    page.get_by_role("heading", name="How").wait_for()
    page.get_by_role("link", name="the start").click()
    page.get_by_role("heading", name="Usage").wait_for()
    assert watched.problems == []
    watched.page.context.close()


def test_file_has_linked_lines_and_a_permanent_address(scene: Scene, browser: Browser) -> None:
    watched = scene.open(browser, f"/repositories/{scene.repository.full_name}/file/src/main.py")
    page = watched.page
    assert page.locator("#L5").inner_text().strip().endswith("# where it listens")
    page.get_by_role("link", name="Permanent link").click()
    page.wait_for_url(f"**/file/src/main.py?at={scene.sha}")
    watched.page.context.close()


def test_branch_switch_shows_that_branch(scene: Scene, browser: Browser) -> None:
    watched = scene.open(browser, f"/repositories/{scene.repository.full_name}")
    watched.page.get_by_label("Branch", exact=True).select_option("waiting")
    watched.page.wait_for_url("**?at=waiting")
    watched.page.get_by_role("link", name="Read the port from the environment").first.wait_for()
    watched.page.context.close()


def test_change_request_is_opened_discussed_approved_and_merged_on_pages(
    server: RunningServer, browser: Browser
) -> None:
    scene = make_scene(server)
    head = change_port(scene.server, scene.repository, "on-pages")
    base = f"/repositories/{scene.repository.full_name}"
    author = new_person(scene.server, "developer")
    watched = scene.open(browser, f"{base}/changes/new?source=on-pages", as_=author)
    page = watched.page
    page.get_by_label("Description").fill("Needed *now*.")
    page.get_by_role("button", name="Open change request").click()
    page.get_by_role("heading", name="Read the port from the environment").wait_for()
    page.get_by_label("Comment").fill("Please look.")
    page.get_by_role("button", name="Add comment").click()
    page.get_by_text("Please look.").wait_for()
    address = page.url.removeprefix(scene.server.base_url)
    watched.page.context.close()
    watched = scene.open(browser, address)
    page = watched.page
    assert page.get_by_role("button", name="Merge change").count() == 0
    page.get_by_role("button", name="Approve change").click()
    page.get_by_label("Squash").check()
    page.get_by_role("button", name="Merge change").click()
    page.get_by_text("merged by").wait_for()
    page.goto(f"{scene.server.base_url}{base}/commits")
    page.get_by_role("link", name="Read the port from the environment (#3)").wait_for()
    assert watched.problems == []
    watched.page.context.close()
    assert head


def test_reader_is_offered_nothing_they_may_not_do(scene: Scene, browser: Browser) -> None:
    base = f"/repositories/{scene.repository.full_name}"
    watched = scene.open(browser, f"{base}/changes/1", as_=scene.reader)
    page = watched.page
    assert page.locator("main form").count() == 0
    assert page.get_by_role("link", name="Settings").count() == 0
    page.goto(f"{scene.server.base_url}/repositories")
    assert page.get_by_role("link", name="New repository").count() == 0
    watched.page.context.close()


def test_repository_is_created_and_pushed_to_as_its_page_says(scene: Scene, browser: Browser, tmp_path: Path) -> None:
    """The commands of the empty repository's page are given to a shell as they stand there."""
    developer = new_person(scene.server, "developer")
    name = new_name("made")
    watched = scene.open(browser, "/repositories/new", as_=developer)
    page = watched.page
    page.get_by_label("Owner").fill("Shop!")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create repository").click()
    page.get_by_text("'Shop!' cannot be the owner of a repository").wait_for()
    page.get_by_label("Owner").fill("shop")
    page.get_by_role("button", name="Create repository").click()
    commands = page.locator("#fresh").inner_text()
    token = developer.browser.post("/account/tokens", data={"name": "git", "days": "1"}, follow_redirects=True)
    found = re.search(r"rbt_\w+", token.text)
    assert found, token.text
    script = commands.replace("http://", f"http://x:{found[0]}@")
    said = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, env=git_env(tmp_path), capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    page.reload()
    page.get_by_role("heading", name=name, exact=True).last.wait_for()
    assert page.locator(".prose h1").inner_text() == name
    watched.page.context.close()


def test_raw_file_is_given_as_text_that_can_do_nothing(scene: Scene) -> None:
    base = f"/repositories/{scene.repository.full_name}"
    client = scene.reader.browser
    readme = client.get(f"{base}/raw/README.md")
    assert readme.headers["content-type"].startswith("text/plain")
    assert "sandbox" in readme.headers["content-security-policy"]
    assert client.get(f"{base}/raw/docs/pixel.png").headers["content-type"] == "image/png"
    data = client.get(f"{base}/raw/data.bin")
    assert data.headers["content-disposition"] == "attachment"
    assert data.content == bytes(range(256))


def test_names_with_spaces_quotes_and_umlauts_are_reached(scene: Scene) -> None:
    base = f"/repositories/{scene.repository.full_name}"
    client = scene.reader.browser
    folder = client.get(f"{base}/tree/src/a%20folder")
    found = re.search(r'href="([^"]*/file/src/a%20folder/[^"]*)"', folder.text)
    assert found
    assert client.get(found[1]).status_code == 200


def test_what_is_not_there_says_so(scene: Scene) -> None:
    base = f"/repositories/{scene.repository.full_name}"
    client = scene.reader.browser
    for path in (
        f"{base}/tree/nope",
        f"{base}/file/nope",
        f"{base}?at=nope",
        f"{base}/commits/1234567",
        f"{base}/changes/99",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert scene.repository.full_name in answer.text
    assert client.get("/repositories/shop/nope").status_code == 404


def test_settings_rename_and_delete(scene: Scene) -> None:
    made = make_repository(scene.server)
    client = scene.manager.browser
    page = f"/repositories/{made.full_name}/settings"
    renamed = new_name("renamed")
    form = {
        "new_name": renamed,
        "default_branch": "main",
        "is_protected": ["false", "true"],
        "required_checks": ["a/b", ""],
    }
    answer = client.post(page, data=form)
    assert answer.headers["location"] == f"/repositories/shop/{renamed}/settings"
    page = answer.headers["location"]
    assert 'value="a/b"' in client.get(page).text
    assert client.post(f"{page}/delete", data={"confirm_name": "wrong"}).status_code == 422
    assert client.post(f"{page}/delete", data={"confirm_name": f"shop/{renamed}"}).status_code == 303
    assert client.get(f"/repositories/shop/{renamed}").status_code == 404
    folder = scene.server.services.get(BuiltinHost).folder_of(made.id)
    wait_for(lambda: not folder.exists())


def test_secret_is_put_and_deleted_on_its_page_and_never_shown(scene: Scene) -> None:
    client = scene.manager.browser
    path, value = f"pages/{new_name('secret')}", "s3cret-value-on-page"
    assert client.post("/secrets", data={"path": path, "value": value}).status_code == 303
    shown = client.get("/secrets").text
    assert f"secret://{path}" in shown
    assert value not in shown
    refused = client.post("/secrets", data={"path": "Not a path", "value": value})
    assert refused.status_code == 422
    assert "Not a path" in refused.text
    assert value not in refused.text
    assert client.post("/secrets/delete", data={"path": path, "confirm_name": path}).status_code == 303
    assert path not in client.get("/secrets").text
    assert scene.reader.browser.get("/secrets").status_code == 403
