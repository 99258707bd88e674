"""What people see of production: what an approval decides, and on Home what runs there."""

import re
from typing import Any

import httpx

from roadbed.artifacts.contract import Artifact
from roadbed.environments.contract import DeploymentView
from roadbed.scm.contract import Author, FileContent, TreeChange, commit_files, get_repository
from tests.environments.conftest import ADMIN, Stage
from tests.web.test_home import new_owner, read


def commit(stage: Stage, repository: str, text: str, *, branch: str = "main", parent: str | None = None) -> str:
    """Make a commit whose only line of message is `text`; returns it."""
    owner, _, name = repository.partition("/")
    ref = f"refs/heads/{branch}"
    files = {"CHANGES.md": FileContent(text.encode())}
    change = TreeChange(ref, files, message=text, author=Author("Grace", "grace@example.com"), parent=parent)

    async def work() -> str:
        async with stage.server.database.read() as session:
            found = await get_repository(session, owner, name)
        return await commit_files(stage.server.services, ADMIN, found.id, change)

    return stage.server.run(work())


def ask(stage: Stage, component: str, artifact: Artifact) -> tuple[DeploymentView, dict[str, Any]]:
    """Deploy to production; returns the deployment with its approval, which waits."""
    deployment = stage.start(component, artifact, "production")
    stage.until(lambda: stage.run_of(deployment.run_id), lambda run: run["state"] == "waiting")
    query = {"run": str(deployment.run_id), "state": "waiting"}
    (approval,) = stage.api.get("/api/v1/approvals", params=query).json()["items"]
    return deployment, approval


def approve(stage: Stage, deployment: DeploymentView, approval: dict[str, Any]) -> None:
    answer = stage.api.post(f"/api/v1/approvals/{approval['id']}/approve", json={"comment": "checked"})
    assert answer.is_success, answer.text
    assert stage.ends(deployment.run_id)["state"] == "succeeded"


def decided(page: str | httpx.Response) -> dict[str, str]:
    """Return the pairs of the card that says what is decided, as a reader sees them."""
    text = page if isinstance(page, str) else page.text
    card = text.partition('aria-labelledby="decided"')[2].partition("</section>")[0]
    pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", card, re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]+>", " ", value).split()) for name, value in pairs}


def test_approval_shows_what_is_decided_and_home_what_runs_in_production(stage: Stage) -> None:
    person, _, team = new_owner(stage.server)
    component = stage.component(owner=f"group:default/{team}")
    repository, begin = stage.repository({"README.md": "Begin"})
    stage.api.patch(f"/api/v1/repositories/{repository}", json={"entity_ref": component}).raise_for_status()
    first, asked = ask(stage, component, stage.artifact("1.0.0", commit=begin, repository=repository))
    seen = decided(read(person.browser, f"/approvals/{asked['id']}"))
    assert seen == {
        "New version": f"1.0.0 commit {begin[:7]}",
        "Replaces": "nothing: it is the first one there",
        "Commits": "none to compare with: nothing of it runs there",
        "Health in staging": "Not checked nothing of it runs in staging",
        "Tests": "Not checked no pipeline of Roadbed made this version",
    }
    approve(stage, first, asked)

    commit(stage, repository, "Ask for <less>")
    head = commit(stage, repository, "Answer sooner")
    newer = stage.artifact("2.0.0", commit=head, repository=repository)
    stage.deploy(component, newer, "staging")
    _, asked = ask(stage, component, newer)
    page = read(person.browser, f"/approvals/{asked['id']}")
    seen = decided(page)
    assert seen["Replaces"] == f"1.0.0 commit {begin[:7]}"
    assert re.fullmatch(
        r"2 commits since 1\.0\.0 .* Answer sooner Grace .* Ask for &lt;less&gt; Grace", seen["Commits"]
    )
    assert re.fullmatch(r"Healthy .* answered 200 .*since .* This version runs there", seen["Health in staging"])
    assert f'href="/repositories/{repository}/commits/{head}"' in page

    home = read(person.browser)
    name = component.rpartition("/")[2]
    assert f'<a class="mono" href="/environments/{name}/production">1.0.0</a>' in home
    assert f'<a href="/repositories/{repository}/changes" class="muted">none</a>' in home
    commit(stage, repository, "Try something", branch="next", parent=head)
    wish = {"source_branch": "next", "title": "Try something"}
    stage.api.post(f"/api/v1/repositories/{repository}/change-requests", json=wish).raise_for_status()
    assert f'<a href="/repositories/{repository}/changes">1</a>' in read(person.browser)


def test_way_back_says_how_many_commits_it_takes_back(stage: Stage) -> None:
    component = stage.component()
    repository, begin = stage.repository({"README.md": "Begin"})
    head = commit(stage, repository, "Break it")
    first, asked = ask(stage, component, stage.artifact("2.0.0", commit=head, repository=repository))
    approve(stage, first, asked)
    older = stage.artifact("1.0.0", commit=begin, repository=repository)
    stage.deploy(component, stage.artifact("3.0.0"), "staging")
    _, asked = ask(stage, component, older)
    seen = decided(stage.api.get(f"/approvals/{asked['id']}", headers={"Accept": "text/html"}))
    assert seen["Commits"] == "1 commit taken back since 2.0.0"
    assert seen["Health in staging"].endswith("Another version runs there 3.0.0")
