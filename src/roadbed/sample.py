"""The sample organisation: what `roadbed up --sample` puts into an empty catalog, in one run."""

from uuid import UUID

import structlog

from roadbed.catalog.contract import LocationType, find_entity, get_overview, register_location, wait_for_entity
from roadbed.core.actor import system_actor
from roadbed.core.bundled import bundled
from roadbed.core.db import Database
from roadbed.core.extension import Module
from roadbed.core.services import Services
from roadbed.goldenpaths.contract import get_path, start_path
from roadbed.identity.contract import AccountChange, FirstStart, change_account
from roadbed.kit.refs import EntityRef
from roadbed.runs.contract import (
    STEPS,
    Done,
    Outcome,
    RunPlan,
    RunState,
    StepContext,
    StepFailed,
    StepKind,
    StepPlan,
    find_run,
    list_children,
    start_run,
    wait_for_run,
)

log = structlog.get_logger(__name__)

ACTOR = system_actor("sample")
RUN = "sample.load"
YOU = "user:default/ines"  # of Team Checkout: so that Home shows something of one's own
PATH = EntityRef("Template", "default", "python-fastapi")
_PATHS_SECONDS = 120
HELLO = {
    "name": "hello",
    "description": "Greets people and remembers them. Made from a golden path at the first start.",
    "owner": "group:default/team-checkout",
    "postgres": True,
}


async def load_sample(services: Services) -> None:
    """Start the run that loads the sample, unless the catalog holds something already. It starts once, ever."""
    async with services.get(Database).write() as session:
        if not (await get_overview(session)).is_empty:
            return
        await change_account(session, ACTOR, services.get(FirstStart).account, AccountChange(entity_ref=YOU))
        plan = RunPlan(
            kind=RUN,
            title="Load the sample organisation Northmoor",
            steps=[
                StepPlan("organisation", "Read the organisation", "sample.organisation"),
                StepPlan("hello", "Create the service hello", "sample.hello"),
            ],
            key="once",
        )
        run = await start_run(session, ACTOR, plan)
    log.info("sample.started", run=str(run.id))


async def _register(context: StepContext) -> Outcome:
    if context.resumed is not None:
        async with context.database.read() as session:
            run = await find_run(session, UUID(context.resumed["run_id"]))
        if run is None or run.state is not RunState.SUCCEEDED:
            raise StepFailed(
                "The sample organisation could not be read.", hint="The run below says why; retry it first."
            )
        return Done()
    target = str(bundled("examples") / "northmoor" / "all.yaml")
    async with context.database.write() as session:
        children = await list_children(session, context.run_id)
        if children:  # begun before a crash
            return wait_for_run(children[0])
        _, run = await register_location(
            session, context.actor, type_=LocationType.FILE, target=target, parent_run_id=context.run_id
        )
    return wait_for_run(run)


async def _create_hello(context: StepContext) -> Outcome:
    """Start it as anybody would. Its own run says how it goes; this one has done its part."""
    async with context.database.write() as session:
        if context.resumed is None and await find_entity(session, PATH) is None:
            return wait_for_entity(PATH, seconds=_PATHS_SECONDS)
        path = await get_path(session, PATH.namespace, PATH.name)
        run = await start_path(session, context.actor, path, HELLO, idempotency_key=str(context.run_id))
    await context.link("run", title=run.title, href=f"/runs/{run.id}")
    return Done({"run": str(run.id)}, note=run.title)


MODULE = Module(
    "sample",
    (STEPS.add(StepKind("sample.organisation", _register, needs_host=True), StepKind("sample.hello", _create_hello)),),
)
