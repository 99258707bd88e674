"""The action `pipeline:await`: the pipeline of what was published, until it runs in development."""

from typing import Any
from uuid import UUID

from roadbed.core.db import Database
from roadbed.delivery.contract import ensure_pipeline_run, pipeline_wait
from roadbed.goldenpaths.errors import InputInvalid
from roadbed.goldenpaths.types import Action, ActionCall, ActionScope, Foresight
from roadbed.runs.contract import Done, Outcome, RunState, StepFailed, find_run
from roadbed.scm.contract import get_repository

_INPUT = {
    "type": "object",
    "required": ["repository", "commit"],
    "properties": {
        "repository": {"type": "string", "title": "owner/name"},
        "commit": {"type": "string"},
    },
}


async def _await(call: ActionCall, given: dict[str, Any]) -> Outcome:
    if call.step.resumed is not None:
        return await _after(call, UUID(call.step.resumed["run_id"]), state=call.step.resumed["state"])
    owner, _, name = str(given["repository"]).partition("/")
    if not (owner and name and given["commit"]):
        raise InputInvalid(
            "pipeline:await needs a repository as owner/name, and a commit.",
            hint="Both are outputs of the step that publishes.",
        )
    async with call.services.get(Database).write() as session:
        repository = await get_repository(session, owner, name)
        run = await ensure_pipeline_run(
            session,
            call.actor,
            repository,
            commit=given["commit"],
            branch=repository.default_branch,
            parent_run_id=call.step.run_id,
        )
    await call.step.link("pipeline", title=run.title, href=f"/runs/{run.id}")
    return pipeline_wait(run)


async def _after(call: ActionCall, run_id: UUID, *, state: str) -> Outcome:
    if state != RunState.SUCCEEDED:
        async with call.services.get(Database).read() as session:
            run = await find_run(session, run_id)
        reason = run.error["message"] if run is not None and run.error else f"The pipeline was {state}."
        raise StepFailed(reason, hint=f"Mend it and retry the pipeline at /runs/{run_id}, then retry this run.")
    return Done({"runUrl": f"/runs/{run_id}", "runId": str(run_id)}, note="It runs in development")


async def _foresee(scope: ActionScope, given: dict[str, Any]) -> Foresight:  # noqa: ARG001 - the signature is the slot's
    return Foresight(title="Pipeline", detail="tests, scans and builds it, and deploys it to development")


PIPELINE_AWAIT = Action("pipeline:await", "Wait for the pipeline", _INPUT, _await, foresee=_foresee)
