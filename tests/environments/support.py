"""Real workloads for tests: a small Python program as an artifact, and rows of a deployment that runs it."""

import textwrap
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from roadbed.artifacts.contract import ArtifactMeta, store_tree
from roadbed.core.actor import system_actor
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.environments.models import Application, Deployment, Environment, Workload
from roadbed.environments.repository import instances as rows
from roadbed.environments.service.instances import InstanceWish, add_instance, start_instance, wait_until_ready
from roadbed.environments.service.routes import refresh_routes
from roadbed.environments.types import Probe, Variable, WorkloadSpec
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.runs.contract import RunPlan, StepPlan, start_run

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]
ACTOR = system_actor("tests")

PROGRAM = '''
    """Answers with its version; POST echoes; /crash ends it; /big prints; /env tells a variable."""
    import json, os, sys, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from urllib.parse import urlsplit, parse_qs

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            if url.path == "/readyz":
                return self.say(200 if not os.path.exists(os.path.expanduser("~/unready")) else 503, "ready")
            if url.path == "/unready":
                open(os.path.expanduser("~/unready"), "w").close()
            if url.path == "/crash":
                os._exit(3)
            if url.path == "/headers":
                return self.say(200, json.dumps(self.headers.items()))
            if url.path == "/env":
                return self.say(200, os.environ.get(query["name"], ""))
            if url.path == "/print":
                print(query["text"], flush=True)
            if url.path == "/stream":
                return self.stream()
            self.say(200, json.dumps({"version": VERSION, "pid": os.getpid(), "path": self.path}))

        def do_POST(self):
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.say(201, body)

        do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_POST

        def stream(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number in range(10_000):
                text = f"data: {number}\\n\\n".encode()
                try:
                    self.wfile.write(f"{len(text):x}\\r\\n".encode() + text + b"\\r\\n")
                    self.wfile.flush()
                except OSError:
                    print("the reader of the stream is gone", flush=True)
                    return
                time.sleep(0.02)

        def say(self, status, text):
            data = text if isinstance(text, bytes) else text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Set-Cookie", "a=1; Path=/; Domain=localhost; HttpOnly")
            self.send_header("Set-Cookie", "b=2")
            self.send_header("Connection", "keep-alive, X-Private")
            self.send_header("X-Private", "1")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    print("serving", VERSION, "on", os.environ["PORT"], flush=True)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''


@dataclass(frozen=True)
class Placed:
    """A workload of a test, in an application of its own."""

    application: str
    environment: str
    name: str
    component: str
    workload_id: UUID
    environment_id: UUID

    @property
    def host(self) -> str:
        return f"{self.name}.{self.environment}.{self.application}.localhost"


def spec_of(
    name: str,
    *,
    command: tuple[str, ...] = ("python", "main.py"),
    port: int | None = 8080,
    ready: Probe | None = Probe("/readyz"),  # noqa: B008 - frozen
) -> WorkloadSpec:
    return WorkloadSpec(name, command, {}, port, ready, None, {}, {"name": name})


async def add_workload(services: Services, *, name: str = "orders", environment: str = "development") -> Placed:
    """Write the rows of a workload in an application of its own."""
    word = f"shop-{uuid4().hex[:8]}"
    component = f"component:default/{word}"
    async with services.get(Database).write() as session:
        application = Application(id=new_id(), entity_uid=uuid4(), entity_ref=component, name=word, created_at=now())
        session.add(application)
        await session.flush()
        place = Environment(
            id=new_id(), application_id=application.id, name=environment, type=environment, order=1, created_at=now()
        )
        session.add(place)
        await session.flush()
        workload = Workload(
            id=new_id(),
            environment_id=place.id,
            name=name,
            component=component,
            health="unknown",
            health_summary="",
            created_at=now(),
        )
        session.add(workload)
    return Placed(word, environment, name, component, workload.id, place.id)


async def store_program(services: Services, folder: Path, *, version: str, program: str = PROGRAM) -> str:
    """Store a Python program as an artifact and return its digest."""
    tree = folder / f"tree-{uuid4().hex}"
    tree.mkdir(parents=True)
    (tree / "main.py").write_text(f"VERSION = {version!r}\n" + textwrap.dedent(program))
    meta = ArtifactMeta(name="orders", version=version, repository="shop/orders", commit="0" * 40)
    return (await store_tree(services, ACTOR, tree, meta)).digest


async def add_deployed(
    services: Services,
    placed: Placed,
    *,
    artifact: str,
    version: str = "1",
    spec: WorkloadSpec | None = None,
    variables: Mapping[str, str] | None = None,
) -> UUID:
    """Write a deployment with its instance, and return the id of the instance."""
    async with services.get(Database).write() as session:
        plan = RunPlan("test.environments", f"Deploy {placed.name}", [StepPlan("one", "One", "test.echo")])
        run = await start_run(session, ACTOR, plan)
        deployment = Deployment(
            id=new_id(),
            environment_id=placed.environment_id,
            run_id=run.id,
            component=placed.component,
            wanted={},
            has_begun=True,
            artifact=artifact,
            commit="0" * 40,
            version=version,
            repository="shop/orders",
            state="running",
            by=ACTOR.label,
            created_at=now(),
        )
        session.add(deployment)
        await session.flush()
        wish = InstanceWish(
            workload_id=placed.workload_id,
            deployment_id=deployment.id,
            artifact=artifact,
            spec=spec or spec_of(placed.name),
            variables=tuple(Variable(key, value, "score.yaml") for key, value in (variables or {}).items()),
        )
        return await add_instance(session, wish)


async def answer_with(services: Services, placed: Placed, instance_id: UUID) -> None:
    """Start an instance, and have requests go to it when it is ready."""
    start_instance(services, instance_id)
    await wait_until_ready(services, instance_id)
    async with services.get(Database).write() as session:
        workload, _, _ = await rows.lock_placed_workload(session, placed.workload_id)
        workload.active_instance_id = instance_id
    await refresh_routes(services)
