"""A stage that deploys: it asks for a deployment of what the run kept, and waits for that."""

from typing import Any
from uuid import UUID

from roadbed.catalog.contract import find_entity, read_documents, wait_for_entity
from roadbed.core.db import ReadSession, WriteSession
from roadbed.delivery.rules.frozen import thaw_stage
from roadbed.delivery.rules.pipelines import holds
from roadbed.delivery.rules.words import condition_words
from roadbed.delivery.service.statuses import ACTOR
from roadbed.delivery.types import DEVELOPMENT, DEVELOPMENT_WAIT
from roadbed.delivery.workflows.artifact import SCORE_FILE
from roadbed.delivery.workflows.speaking import condition_values, say_of_step, speaking
from roadbed.environments.contract import (
    DEPLOY_RUN,
    ENVIRONMENT_DEPLOY,
    DeploymentState,
    DeploymentSuperseded,
    DeployWish,
    deploy,
    find_deployment_of_run,
    release_application,
)
from roadbed.kit.refs import parse_ref
from roadbed.runs.contract import (
    Done,
    Outcome,
    RunState,
    RunSummary,
    Skip,
    StepContext,
    StepFailed,
    StepKind,
    Undone,
    Wait,
    cancel_run,
    find_run,
    list_children,
    needing,
    resume_waits,
    wait_for_run,
)
from roadbed.scm.contract import PathNotFound, StatusState, get_repository_by_id, read_file

_SCORE_BYTES = 1_000_000
_CATALOG_SECONDS = 60


async def _execute(context: StepContext) -> Outcome:
    stage = thaw_stage(context.inputs["stage"])
    environment = str(stage.environment)
    if context.resumed is not None and "run_id" in context.resumed:
        return await _after(context, environment)
    if not holds(stage.when, condition_values(context)):
        return await _skip(context, condition_words(stage.when))
    artifact = next((str(output["artifact"]) for output in context.outputs.values() if "artifact" in output), None)
    if artifact is None:
        return await _skip(context, "No artifact was kept")
    if context.subject is None:
        return await _skip(context, "The catalog file declares no component")
    score = await _read_score(context)
    if score is None:
        return await _skip(context, f"There is no {SCORE_FILE}")
    waiting = await _wait_for_component(context, context.subject)
    if waiting is not None:
        return waiting
    async with speaking(context), context.database.write() as session:
        wish = DeployWish(
            component=parse_ref(context.subject),
            environment=environment,
            artifact=artifact,
            score=score,
            commit=context.run_inputs["commit"],
            repository=context.run_inputs["repository"],
            parent_run_id=context.run_id,
        )
        run = await _ensure_deployment(session, context, wish)
    await context.link("deployment", title=run.title, href=f"/runs/{run.id}")
    return wait_for_run(run)


async def _wait_for_component(context: StepContext, component: str) -> Wait | None:
    """Give the catalog a moment to read what the same push, or the same golden path, brought it."""
    ref = parse_ref(component)
    async with context.database.read() as session:
        if await find_entity(session, ref) is not None:
            return None
    if context.resumed is not None and context.resumed.get("expired"):
        raise StepFailed(
            f"{component} is not in the catalog, so it is nobody's to deploy.",
            hint="Register the repository's catalog-info.yaml under Catalog, then retry this run.",
        )
    return wait_for_entity(ref, seconds=_CATALOG_SECONDS)


async def _ensure_deployment(session: WriteSession, context: StepContext, wish: DeployWish) -> RunSummary:
    """Return the run of this stage's deployment: the one that it started before, unless that one failed."""
    earlier = await _list_deployments(session, context.run_id, wish.environment)
    if earlier and (not earlier[-1].state.is_finished or earlier[-1].state is RunState.SUCCEEDED):
        return earlier[-1]
    key = f"{context.step_id}:{len(earlier)}"  # a retry after a failure deploys anew
    view = await deploy(session, context.actor, DeployWish(**{**wish.__dict__, "key": key}))
    found = await find_run(session, view.run_id)
    assert found is not None
    return found


async def _list_deployments(session: ReadSession, run_id: UUID, environment: str) -> list[RunSummary]:
    """List the runs of a pipeline run that deploy to an environment, oldest first."""
    found = []
    for child in await list_children(session, run_id):
        view = await find_deployment_of_run(session, child.id) if child.kind == DEPLOY_RUN else None
        if view is not None and view.environment == environment:
            found.append(child)
    return found


async def _skip(context: StepContext, reason: str) -> Outcome:
    await say_of_step(context, StatusState.SUCCESS, f"Skipped: {reason}")
    return Skip(reason)


async def _read_score(context: StepContext) -> dict[str, Any] | None:
    """Return the Score file of the commit; None when it has none."""
    async with context.database.read() as session:
        repository = await get_repository_by_id(session, UUID(context.run_inputs["repository_id"]))
    try:
        content = await read_file(
            context.services, repository, context.run_inputs["commit"], SCORE_FILE, limit_bytes=_SCORE_BYTES
        )
    except PathNotFound:
        return None
    documents = read_documents(content, file=SCORE_FILE)
    if documents.problems or not documents.documents:
        problem = documents.problems[0] if documents.problems else None
        reason = f"line {problem.line}: {problem.reason}" if problem else "it is empty."
        raise StepFailed(f"{SCORE_FILE} cannot be read: {reason}", hint="Mend it and push again.")
    data: dict[str, Any] = documents.documents[0].data
    return data


async def _after(context: StepContext, environment: str) -> Outcome:
    assert context.resumed is not None
    async with speaking(context):
        async with context.database.write() as session:
            run = await find_run(session, UUID(context.resumed["run_id"]))
            assert run is not None
            if run.state is RunState.SUCCEEDED and environment == DEVELOPMENT:
                result = {"state": run.state.value, "run_id": str(context.run_id)}
                await resume_waits(session, kind=DEVELOPMENT_WAIT, key=str(context.run_id), result=result)
            view = await find_deployment_of_run(session, run.id)
            if view is not None and view.state is DeploymentState.SUPERSEDED:
                return await _give_way(session, context, reason=view.error or f"{run.title} gave way to a newer one.")
        if run.state is not RunState.SUCCEEDED:
            error = run.error or {}
            reason = error.get("message") or f"{run.title} was {run.state}."
            raise StepFailed(reason, hint=error.get("hint") or "Its run shows why. Then retry this one.")
    text = f"Runs in {environment}"
    await say_of_step(context, StatusState.SUCCESS, text)
    return Done({"environment": environment}, note=text)


async def _give_way(session: WriteSession, context: StepContext, *, reason: str) -> Outcome:
    """End a pipeline whose deployment gave way to a newer one: all that it would deploy next is older as well."""
    because = DeploymentSuperseded(reason, hint="The pipeline of the newer commit goes on.")
    await cancel_run(session, ACTOR, context.run_id, because=because)
    return Skip(reason)


async def is_in_development(session: ReadSession, run_id: UUID) -> bool:
    """Tell whether what a pipeline run made was deployed to development."""
    found = await _list_deployments(session, run_id, DEVELOPMENT)
    return any(run.state is RunState.SUCCEEDED for run in found)


async def _undo(context: StepContext) -> Undone:
    """Let go of the environments, which were made when the first deployment was asked for."""
    if context.subject is None:
        return Undone()
    async with context.database.write() as session:
        return await release_application(session, context.actor, context.subject)


DEPLOY_STEP = StepKind("delivery.deploy", _execute, undo=_undo, needs_host=True, guard_undo=needing(ENVIRONMENT_DEPLOY))
