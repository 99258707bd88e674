"""An organisation with services, health, and runs in every state, and a person of it who signs in with a browser."""

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, StorageState

from roadbed.catalog.contract import Health, StatusReport, report_status
from roadbed.core.actor import Actor
from roadbed.identity.contract import find_actor
from roadbed.kit.refs import EntityRef
from roadbed.runs.contract import RunPlan, StepPlan, start_run
from tests import steps
from tests.identity.people import PASSWORD, create_account
from tests.runs.test_runs import wait_for
from tests.support import RunningServer
from tests.web.browser import ROOT, launch_browser, watch

SAMPLE = ROOT / "examples" / "northmoor"
NAMESPACE = "northmoor"
LOG = (
    "\x1b[2m13:53:37.802  request   postgres/returns, class small, environment shop/staging\x1b[0m\n"
    "\x1b[1mPlan\x1b[0m\n"
    "\x1b[32m+ database.returns            16.4, 2 GB, encrypted\x1b[0m\n"
    "4 to add, 0 to change, 0 to destroy\n\n"
    "\x1b[33m13:53:44.118  warn      limit 20, in use 20\x1b[0m\n"
    "\x1b[36m13:54:14.131  apply     database.returns: creating, attempt 2 of 3\x1b[0m\n"
    "\x1b[31m13:55:51.204  error     limit 20, in use 20 (account staging-1)\x1b[0m"
)


@dataclass
class Organisation:
    """What the pages show: who looks, and the addresses of what they look at."""

    account: str
    one_time_password: str
    actor: Actor
    location_id: str
    runs: dict[str, UUID] = field(default_factory=dict)

    def entity(self, name: str, kind: str = "component") -> str:
        return f"/catalog/{kind}/{NAMESPACE}/{name}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium. For one module: while it runs, Playwright's loop holds this thread, and async tests cannot."""
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where screenshots are kept for people to look at."""
    folder = Path(os.environ.get("ROADBED_TEST_ARTIFACTS", ROOT / "test-artifacts")) / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def organisation(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """The sample organisation in a namespace of its own, with health reported for some, and runs in every state."""
    account = create_account(
        server, name=f"ines-{secrets.token_hex(2)}", roles=["admin"], entity_ref=f"user:{NAMESPACE}/ines"
    )
    location_id = _load_sample(server, tmp_path_factory.mktemp("northmoor"))

    async def prepare() -> Actor:
        async with server.database.write() as session:
            for name, health, words in (
                ("orders", Health.DEGRADED, "p95 latency 1.9 s, limit 1.5 s"),
                ("cart", Health.HEALTHY, "all checks pass"),
                ("checkout-web", Health.HEALTHY, "all checks pass"),
                ("promotions", Health.FAILING, "0 of 2 instances are ready"),
            ):
                report = StatusReport(key="health", state=health, summary=words, source="process runtime")
                await report_status(session, EntityRef("Component", NAMESPACE, name), report)
            actor = await find_actor(session, UUID(account["id"]))
            assert actor is not None
            return actor

    actor = server.run(prepare())
    made = Organisation(account["name"], account["one_time_password"], actor, location_id)
    _start_runs(server, made)
    return made


def _load_sample(server: RunningServer, folder: Path) -> str:
    for file in SAMPLE.glob("*.yaml"):
        text = re.sub(r"^metadata:$", f"metadata:\n  namespace: {NAMESPACE}", file.read_text(), flags=re.MULTILINE)
        (folder / file.name).write_text(text)
    api = server.client(server.token())
    answer = api.post("/api/v1/locations", json={"type": "file", "target": str(folder / "all.yaml")})
    assert answer.status_code == 201, answer.text
    wait_for(server, UUID(answer.json()["run_id"]), lambda run, _: run.finished_at is not None)
    location_id: str = answer.json()["location_id"]
    return location_id


def _start_runs(server: RunningServer, organisation: Organisation) -> None:
    name = secrets.token_hex(4)
    steps.broken.add(name)
    render = StepPlan("render", "Render", "test.echo", {"say": "42 files"})
    repository = StepPlan("repository", "Repository", "test.echo", {"say": LOG})
    lines = StepPlan("lines", "Pipeline", "test.lines", {"count": 2_000})
    fail = StepPlan("provision", "Provision PostgreSQL", "test.fail", {"name": name})
    hang = StepPlan("deploy", "Deploy to staging", "test.hang")
    wait = StepPlan("approve", "Approve production", "test.wait", {"name": secrets.token_hex(4)})
    last = StepPlan("last", "Deploy to production", "test.echo")
    for key, title, plan in (
        ("done", "Create cart", (render, lines, repository)),
        ("failed", "Create returns", (render, repository, fail, last)),
        ("waiting", "Deploy cart 2.11.0", (render, wait, last)),
        ("running", "Create refunds", (render, repository, hang, last)),
    ):
        organisation.runs[key] = _start_run(server, organisation.actor, title=title, plan=plan)
    wait_for(server, organisation.runs["done"], lambda run, _: run.state == "succeeded")
    wait_for(server, organisation.runs["failed"], lambda run, _: run.state == "failed")
    wait_for(server, organisation.runs["waiting"], lambda run, _: run.state == "waiting")
    wait_for(server, organisation.runs["running"], lambda _, found: found[2].line_count > 0)


def _start_run(server: RunningServer, actor: Actor, *, title: str, plan: tuple[StepPlan, ...]) -> UUID:
    async def work() -> UUID:
        async with server.database.write() as session:
            subject = f"component:{NAMESPACE}/{title.split()[1]}"
            return (await start_run(session, actor, RunPlan("goldenpaths.create", title, plan, subject=subject))).id

    return server.run(work())


@pytest.fixture(scope="module")
def signed_in(browser: Browser, server: RunningServer, organisation: Organisation) -> StorageState:
    """Sign in as a person does the first time: with the one-time password, then choosing an own one."""
    watched = watch(browser)
    page = watched.page
    page.goto(server.base_url + "/")
    page.get_by_label("Name").fill(organisation.account)
    page.get_by_label("Password").fill(organisation.one_time_password)
    page.get_by_role("button", name="Sign in").click()
    if page.url.endswith("/sign-in/password"):
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        page.get_by_role("button", name="password").click()
        organisation.one_time_password = PASSWORD
    page.wait_for_url(server.base_url + "/")
    state = page.context.storage_state()
    page.context.close()
    assert watched.problems == []
    return state
