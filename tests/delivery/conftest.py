"""Repositories with Makefiles of a few shell lines, pushed with git, and a look at what their pipelines did."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from roadbed.scm.contract import Repository, StatusState, list_commit_statuses
from tests.scm.conftest import Person, make_person
from tests.scm.support import Workspace, clone, make_repository, new_name, read
from tests.support import RunningServer
from tests.waiting import wait_for

STAGES = ["checkout", "setup", "lint", "test", "integration", "scan", "sbom", "build", "artifact"]
DEPLOYS = ["deploy-development", "deploy-staging", "deploy-production"]
JUNIT = "<testsuite name='unit'><testcase classname='t' name='{name}' time='0.1'>{inside}</testcase></testsuite>"
TARGETS = {
    "test": f'mkdir -p build/junit && echo "{JUNIT.format(name="adds", inside="")}" > build/junit/unit.xml',
    "scan": """mkdir -p build && echo '{"checks": [{"name": "secrets", "state": "passed", "detail": "2 files"}, """
    """{"name": "dependencies", "state": "not_checked", "detail": "no database"}]}' > build/scan.json""",
    "sbom": """echo '{"bomFormat": "CycloneDX", "components": [{"name": "left-pad", "version": "1"}]}' """
    "> build/sbom.cdx.json",
    "build": "mkdir -p build/app/lib && cp main.sh build/app/ && ln -s ../main.sh build/app/lib/start",
}
SCORE = """apiVersion: score.dev/v1b1
metadata: {name: app}
containers: {main: {image: ., command: [sh, main.sh]}}
"""


@dataclass
class Shop:
    """A repository with a clone. `targets` become its Makefile."""

    server: RunningServer
    owner: Person
    repository: Repository
    workspace: Workspace
    client: httpx.Client
    name: str
    targets: dict[str, str] = field(default_factory=lambda: dict(TARGETS))
    files: dict[str, str] = field(default_factory=dict)

    def put(self, text: str) -> httpx.Response:
        return self.client.post("/api/v1/entities", content=text, headers={"Content-Type": "application/yaml"})

    def uses_pipeline(self, text: str) -> None:
        """Put a pipeline that has the shop's name, and name it in the catalog file."""
        answer = self.put(text)
        assert answer.is_success, answer.text
        self.names_pipeline(self.name)

    def names_pipeline(self, name: str) -> None:
        self.files["catalog-info.yaml"] = (
            "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
            f"metadata: {{name: {self.name}, annotations: {{roadbed.dev/pipeline: {name}}}}}\n"
            "spec: {type: service, lifecycle: experimental, owner: team-a}\n"
        )

    def begin(self) -> None:
        """Push an empty first commit, so that there is a default branch."""
        self.workspace.git("commit", "-q", "--allow-empty", "-m", "Begin")
        self.workspace.git("push", "-q", "origin", "HEAD:main")

    def push(self, branch: str = "main") -> str:
        """Commit the files and push them; returns the commit."""
        makefile = f".PHONY: {' '.join(self.targets)}\n" + "".join(
            f"{name}:\n\t@{line}\n" for name, line in self.targets.items()
        )
        files = {
            "Makefile": makefile,
            "catalog-info.yaml": "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
            f"metadata: {{name: {self.name}}}\nspec: {{type: service, lifecycle: experimental, owner: team-a}}\n",
            "main.sh": "echo hello\n",
        } | self.files
        for path, text in files.items():
            target = self.workspace.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.workspace.git("add", "-A")
        self.workspace.git("commit", "-q", "--allow-empty", "-m", "Change")
        self.workspace.git("push", "-q", "origin", f"HEAD:{branch}")
        return self.workspace.git("rev-parse", "HEAD")

    def runs_of(self, commit: str) -> list[dict[str, Any]]:
        answer = self.client.get(
            "/api/v1/pipelines/runs", params={"repository": self.repository.full_name, "commit": commit}
        )
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def run_of(self, commit: str) -> dict[str, Any]:
        """Wait until the push has started its run."""
        found: list[dict[str, Any]] = wait_for(lambda: self.runs_of(commit))
        assert len(found) == 1
        return found[0]

    def ends(self, commit: str) -> dict[str, Any]:
        """Wait for the end of the pipeline run of a commit, and return the run with its steps."""
        return self.run_ends(self.run_of(commit)["run_id"])

    def run_ends(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = wait_for(lambda: (found := self.run(run_id))["finished_at"] and found)
        return run

    def run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.client.get(f"/api/v1/runs/{run_id}").json()
        return run

    def detail(self, run_id: str) -> dict[str, Any]:
        detail: dict[str, Any] = self.client.get(f"/api/v1/pipelines/runs/{run_id}").json()
        return detail

    def log(self, run_id: str, step: str) -> str:
        return self.client.get(f"/api/v1/runs/{run_id}/steps/{step}/log.txt").text

    def statuses(self, commit: str, *, until: dict[str, str] | None = None) -> dict[str, str]:
        """Return what is said about a commit, once `until` is a part of it."""

        def look() -> dict[str, str]:
            found = read(self.server, lambda session: list_commit_statuses(session, self.repository, commit))
            return {status.context: StatusState(status.state).value for status in found}

        wanted = until or {}
        said: dict[str, str] = wait_for(lambda: wanted.items() <= (seen := look()).items() and seen)
        return said


def steps_of(run: dict[str, Any]) -> dict[str, str]:
    return {step["key"]: step["state"] for step in run["steps"]}


@pytest.fixture(scope="session")
def grace(server: RunningServer) -> Person:
    return make_person(server, "developer")


@pytest.fixture
def shop(server: RunningServer, grace: Person, tmp_path: Path) -> Shop:
    repository = make_repository(server, by=grace.actor, is_protected=False)
    workspace = clone(server, repository, grace.token, tmp_path / "clone")
    return Shop(server, grace, repository, workspace, server.client_as("developer"), new_name("pipe"))
