"""Checking answers, telling what they would do, and starting the run."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from roadbed.audit.contract import record
from roadbed.catalog.contract import find_entity
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.errors import RoadbedError
from roadbed.core.services import Services
from roadbed.goldenpaths import repository as rows
from roadbed.goldenpaths.errors import PathUnusable, ValuesInvalid, WouldFail
from roadbed.goldenpaths.rules.naming import subject_of, title_of
from roadbed.goldenpaths.rules.parameters import check_values, fill_defaults, read_pages
from roadbed.goldenpaths.rules.plans import read_steps
from roadbed.goldenpaths.service.calls import list_actions, make_context, plan_calls
from roadbed.goldenpaths.service.workspace import LayeredWorkspace, workspaces_folder
from roadbed.goldenpaths.types import (
    ACTION_STEP,
    OUTPUT_KEY,
    OUTPUT_STEP,
    RUN_KIND,
    ActionScope,
    CheckedValues,
    Fault,
    Foresight,
    GoldenPath,
    PathOrigin,
    PlannedStep,
    Preview,
)
from roadbed.kit.ids import new_id
from roadbed.kit.refs import InvalidRef, parse_ref
from roadbed.runs.contract import RunPlan, RunSummary, StepPlan, start_run
from roadbed.scm.contract import find_repository


def check(path: GoldenPath, values: Mapping[str, Any]) -> CheckedValues:
    """Fill in defaults and check answers; a path that is itself wrong accepts none.

    Raises:
        PathUnusable: the path has problems of its own.
    """
    if path.problems or path.origin is None:
        raise PathUnusable(
            f"{path.title} cannot be used as it is. {path.problems[0]}",
            hint=f"Its owner, {path.owner or 'nobody'}, has to mend template.yaml.",
            problems=list(path.problems),
        )
    pages = read_pages(path.spec)
    filled = fill_defaults(pages, values)
    return CheckedValues(filled, tuple(check_values(pages, filled)))


async def start(
    session: WriteSession, actor: Actor, path: GoldenPath, values: Mapping[str, Any], *, idempotency_key: str = ""
) -> RunSummary:
    """Start the run that does what the path says. The same key by the same account gives the same run.

    Raises:
        PathUnusable: the path has problems of its own.
        ValuesInvalid: an answer is missing or wrong.
        WouldFail: a step is known to fail, as the repository's name is taken.
    """
    checked = check(path, values)
    if checked.faults:
        raise invalid_values(path, checked.faults)
    inputs = await make_inputs(session, actor, path, checked.values)
    key = f"{actor.id}:{path.ref}:{idempotency_key}" if idempotency_key else ""
    run = await start_run(session, actor, make_plan(path, inputs, key=key))
    foreseen = await _foresee_all(session.services, actor, inputs, has_files=False)
    for step in foreseen:
        await _refuse_failure(session, run, step)
    await record(session, actor, action="goldenpaths.run_started", subject=path.ref, after=inputs, run_id=str(run.id))
    return run


def invalid_values(path: GoldenPath, faults: tuple[Fault, ...]) -> ValuesInvalid:
    """Return the error that names every fault with its page."""
    titles = {page.number: page.title for page in read_pages(path.spec)}
    problems = [{**fault.as_dict(), "page_title": titles.get(fault.page, "")} for fault in faults]
    first = faults[0]
    return ValuesInvalid(
        f"{first.name or 'values'}: {first.message}",
        hint=f"GET /api/v1/paths/{path.ref.removeprefix('template:')} lists what this path asks for.",
        problems=problems,
    )


async def preview(session: ReadSession, actor: Actor, path: GoldenPath, values: Mapping[str, Any]) -> Preview:
    """Tell what a run with these values would do: its steps, files and repositories. Nothing is kept.

    Raises:
        PathUnusable, ValuesInvalid.
    """
    checked = check(path, values)
    if checked.faults:
        raise invalid_values(path, checked.faults)
    inputs = await make_inputs(session, actor, path, checked.values)
    steps = await _foresee_all(session.services, actor, inputs, has_files=True)
    seen = [step.foresight for step in steps if step.foresight]
    return Preview(
        steps=tuple(steps),
        files=tuple(sorted({file for item in seen for file in item.files})),
        repositories=tuple(item.repository for item in seen if item.repository),
        problems=tuple(item.problem for item in seen if item.problem),
    )


async def make_inputs(
    session: ReadSession, actor: Actor, path: GoldenPath, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the run keeps of path, answers and person, so that later changes of the path do not touch it."""
    assert path.origin is not None
    return {
        "origin": asdict(path.origin),
        "values": dict(values),
        "user": await _describe_user(session, actor),
        "steps": read_steps(path.spec),
        "output": path.spec.get("output") or {},
    }


def make_plan(path: GoldenPath, inputs: dict[str, Any], *, key: str) -> RunPlan:
    """Return the plan: one step of the run for each step of the template, and one that shows what was made."""
    steps = [
        StepPlan(step["id"], step["name"], ACTION_STEP, {"position": position})
        for position, step in enumerate(inputs["steps"])
    ]
    if inputs["output"]:
        steps.append(StepPlan(OUTPUT_KEY, "Show what was made", OUTPUT_STEP))
    return RunPlan(
        kind=RUN_KIND,
        title=title_of(path.title, inputs["values"]),
        steps=steps,
        subject=subject_of(path.ref, inputs["values"]),
        inputs=inputs,
        key=key,
    )


def read_origin(run_inputs: Mapping[str, Any]) -> PathOrigin:
    """Return the path that a run was started from."""
    return PathOrigin.from_json(run_inputs["origin"])


async def _describe_user(session: ReadSession, actor: Actor) -> dict[str, Any]:
    try:
        ref = parse_ref(actor.entity_ref, default_kind="User")
    except InvalidRef:
        return {"ref": actor.label, "entity": None}
    entity = await find_entity(session, ref)
    return {"ref": str(ref), "entity": dict(entity.document) if entity else None}


async def _foresee_all(
    services: Services, actor: Actor, inputs: Mapping[str, Any], *, has_files: bool
) -> list[PlannedStep]:
    """Ask each action what it would do, in order.

    Args:
        services: of the server.
        actor: who would start the run.
        inputs: of the run.
        has_files: whether files are rendered too, which takes a moment.
    """
    workspace = LayeredWorkspace(workspaces_folder(services) / f".preview-{new_id()}")
    planned = []
    try:
        for position, step in enumerate(inputs["steps"]):
            scope = ActionScope(
                key="",
                layer=f"{position:03}",
                services=services,
                actor=actor,
                origin=read_origin(inputs),
                answers=inputs["values"],
                workspace=workspace,
            )
            planned.append(await _foresee(scope, step, inputs, has_files=has_files))
    finally:
        await workspace.remove()
    return planned


async def _foresee(
    scope: ActionScope, step: Mapping[str, Any], inputs: Mapping[str, Any], *, has_files: bool
) -> PlannedStep:
    action = list_actions(scope.services)[step["action"]]
    shown = (step["id"], step["name"], step["action"])
    if "steps." in str(step.get("if", "")) or "steps." in str(step.get("each", "")):
        return PlannedStep(*shown, state="depends")
    try:
        calls = await asyncio.to_thread(plan_calls, step, make_context(inputs, {}))
        if calls is None:
            return PlannedStep(*shown, state="skipped")
        if action.foresee is None or (action.makes_files and not has_files):
            return PlannedStep(*shown, state="will")
        seen = [await action.foresee(_at(scope, number), given) for number, given in enumerate(calls.inputs)]
    except RoadbedError as error:
        return PlannedStep(*shown, state="will", foresight=Foresight(step["name"], problem=error.message))
    return PlannedStep(*shown, state="will" if seen else "skipped", foresight=_join(step["name"], seen))


def _at(scope: ActionScope, number: int) -> ActionScope:
    return ActionScope(**{**vars(scope), "layer": f"{scope.layer}-{number:03}"})


def _join(name: str, seen: list[Foresight]) -> Foresight | None:
    """Return what the calls of one step do together."""
    if len(seen) <= 1:
        return seen[0] if seen else None
    return Foresight(
        title=name,
        detail=", ".join(item.title for item in seen),
        files=tuple(file for item in seen for file in item.files),
        problem=next((item.problem for item in seen if item.problem), None),
    )


async def _refuse_failure(session: WriteSession, run: RunSummary, step: PlannedStep) -> None:
    """Refuse to start what is known to fail, unless it is this very run that has taken the name."""
    foresight = step.foresight
    if foresight is None or foresight.problem is None:
        return
    if foresight.repository:
        taken = await find_repository(session, *foresight.repository.split("/", 1))
        product = await rows.find_of_repository(session, taken.id) if taken else None
        if product is not None and product.run_id == run.id:
            return
    raise WouldFail(foresight.problem, hint="Change the answers, then start again.", step=step.id)
