"""A small service as an artifact, and what tests do with environments."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from roadbed.artifacts.contract import Artifact, ArtifactMeta, store_tree
from roadbed.core.actor import Actor, ActorKind
from roadbed.environments.contract import DeploymentView, DeployWish, deploy
from roadbed.kit.refs import parse_ref
from roadbed.scm.contract import Author, FileContent, RepositoryWish, TreeChange, commit_files, create_repository
from tests.identity.people import new_name
from tests.support import RunningServer
from tests.waiting import wait_for

ADMIN = Actor(kind=ActorKind.USER, id="tests", name="tests", roles=frozenset({"admin"}))
SERVICE = '''
    """A service of the standard library: answers with its version, its variables and its process."""
    import json
    import os
    import sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    VERSION = {version!r}
    READY = {ready!r}


    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/end":
                os._exit(3)
            status = READY if self.path == "/readyz" else 200
            shown = {{name: value for name, value in os.environ.items() if name.isupper()}}
            body = json.dumps({{"version": VERSION, "pid": os.getpid(), "env": shown}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            print("asked for", self.path, flush=True)


    print("service", VERSION, "starts", flush=True)
    {first}
    ThreadingHTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
'''


@dataclass
class Stage:
    """A server on which things are deployed."""

    server: RunningServer
    api: httpx.Client
    folder: Path

    def component(self, *, owner: str = "group:default/nobody", system: str | None = None) -> str:
        """Put a component into the catalog; returns its ref."""
        name = new_name("svc")
        spec = f"{{type: service, lifecycle: production, owner: '{owner}'{f', system: {system}' if system else ''}}}"
        document = f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        answer = self.api.post("/api/v1/entities", content=document, headers={"Content-Type": "application/yaml"})
        assert answer.is_success, answer.text
        return f"component:default/{name}"

    def repository(self, files: dict[str, str]) -> tuple[str, str]:
        """Make a repository with one commit; returns its full name and the commit."""
        services = self.server.services

        async def work() -> tuple[str, str]:
            async with self.server.database.write() as session:
                made = await create_repository(session, ADMIN, RepositoryWish(owner="tests", name=new_name("repo")))
            content = {path: FileContent(text.encode()) for path, text in files.items()}
            change = TreeChange(
                "refs/heads/main", content, message="Begin", author=Author("Tests", "tests@example.com")
            )
            return made.full_name, await commit_files(services, ADMIN, made.id, change)

        return self.server.run(work())

    def artifact(
        self,
        version: str = "1.0.0",
        *,
        ready: int = 200,
        first: str = "",
        port: str = 'int(os.environ["PORT"])',
        **facts: Any,
    ) -> Artifact:
        """Build a version of the service. `first` is run before it listens; `facts` are of its meta data."""
        folder = self.folder / new_name("tree")
        folder.mkdir(parents=True)
        text = textwrap.dedent(SERVICE).format(version=version, ready=ready, first=first, port=port)
        (folder / "main.py").write_text(text.lstrip())
        commit = f"{abs(hash(version)):x}".ljust(40, "0")[:40]
        known: dict[str, Any] = {"name": "svc", "version": version, "repository": "tests/svc", "commit": commit}
        meta = ArtifactMeta(**{**known, **facts})
        return self.server.run(store_tree(self.server.services, ADMIN, folder, meta))

    def start(
        self, component: str, artifact: Artifact, environment: str = "development", **wish: Any
    ) -> DeploymentView:
        """Start a deployment."""
        actor: Actor = wish.pop("actor", ADMIN)
        score = wish.pop("score", None) or score_of(component)

        async def work() -> DeploymentView:
            async with self.server.database.write() as session:
                return await deploy(
                    session,
                    actor,
                    DeployWish(
                        component=parse_ref(component),
                        environment=environment,
                        artifact=artifact.digest,
                        score=score,
                        **wish,
                    ),
                )

        return self.server.run(work())

    def deploy(self, component: str, artifact: Artifact, environment: str = "development", **wish: Any) -> Any:
        """Deploy and return the run when it has succeeded."""
        run = self.ends(self.start(component, artifact, environment, **wish).run_id)
        assert run["state"] == "succeeded", run["error"]
        return run

    def run_of(self, run_id: UUID | str) -> dict[str, Any]:
        answer = self.api.get(f"/api/v1/runs/{run_id}")
        assert answer.is_success, answer.text
        run: dict[str, Any] = answer.json()
        return run

    def ends(self, run_id: UUID | str) -> dict[str, Any]:
        """Wait for the end of a run, and return it."""
        found: dict[str, Any] = self.until(lambda: self.run_of(run_id), lambda run: run["finished_at"] is not None)
        return found

    def until(self, look: Callable[[], Any], is_it: Callable[[Any], bool]) -> Any:
        return wait_for(look, is_it)

    def log(self, run_id: UUID | str, step: str) -> str:
        lines = self.api.get(f"/api/v1/runs/{run_id}/steps/{step}/log").json()["lines"]
        return "\n".join(line["text"] for line in lines)


def score_of(component: str, **variables: str) -> dict[str, Any]:
    """Return a Score document for the service."""
    return {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": component.rpartition("/")[2]},
        "service": {"ports": {"http": {"port": 8080}}},
        "containers": {
            "app": {
                "image": ".",
                "command": ["python", "main.py"],
                "variables": variables,
                "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
                "livenessProbe": {"httpGet": {"path": "/livez", "port": 8080}},
            }
        },
    }


@pytest.fixture(scope="session")
def stage(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = Stage(server, server.client(server.token()), tmp_path_factory.mktemp("trees"))
    query = {"kind": "EnvironmentType"}  # shipped, and read in when the server has started
    stage.until(lambda: stage.api.get("/api/v1/entities", params=query).json()["items"], lambda found: len(found) >= 3)
    return stage
