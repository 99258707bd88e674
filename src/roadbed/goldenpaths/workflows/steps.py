"""The step kinds of golden paths: one for a template's steps, one that shows what was made."""

import asyncio
from collections.abc import Mapping
from typing import Any

from roadbed.catalog.contract import entity_href
from roadbed.core.actor import Actor
from roadbed.core.services import Services
from roadbed.core.templating import TemplateFailed
from roadbed.goldenpaths.service.calls import (
    ENGINE,
    StepCalls,
    check_input,
    is_met,
    list_actions,
    make_context,
    plan_calls,
)
from roadbed.goldenpaths.service.starting import read_origin
from roadbed.goldenpaths.service.workspace import LayeredWorkspace, workspaces_folder
from roadbed.goldenpaths.types import ACTION_STEP, OUTPUT_STEP, Action, ActionCall
from roadbed.kit.refs import InvalidRef, parse_ref
from roadbed.kit.text import plural
from roadbed.runs.contract import Done, Outcome, Skip, StepContext, StepFailed, StepKind, Undone, Wait


async def _execute(context: StepContext) -> Outcome:
    """Render condition and input of the template's step, and call its action, once or for each item."""
    position, steps = context.inputs["position"], context.run_inputs["steps"]
    step = steps[position]
    action = _find_action(context, step)
    calls = await asyncio.to_thread(plan_calls, step, _expressions(context))
    if calls is None:
        return Skip("Its condition is not met.")
    if not calls.inputs:
        return Skip("There is nothing to repeat it for.")
    for given in calls.inputs:
        check_input(action, given)
    if not action.makes_files:
        await _restore_files(context)
    if calls.is_repeated:
        return await _repeat(context, action, calls)
    return await action.execute(_call(context, position, 0), dict(calls.inputs[0]))


async def _repeat(context: StepContext, action: Action, calls: StepCalls) -> Outcome:
    """Call the action for each item; each output becomes a list with one entry an item."""
    outputs: dict[str, list[Any]] = {}
    for number, given in enumerate(calls.inputs):
        await context.note(action.title, done=number, total=len(calls.inputs))
        outcome = await action.execute(_call(context, context.inputs["position"], number), dict(given))
        if isinstance(outcome, Wait):
            raise StepFailed(
                f"The action {action.name} waits for something, so it cannot be repeated with each.",
                hint="Write one step for each item in the template.",
            )
        if isinstance(outcome, Done):
            for key, value in outcome.output.items():
                outputs.setdefault(key, []).append(value)
    return Done(outputs, note=plural(len(calls.inputs), "item"))


async def _restore_files(context: StepContext) -> None:
    """Render again what earlier steps put into the workspace, where it is gone: on another disk, after a clean-up."""
    for position, step in enumerate(context.run_inputs["steps"][: context.inputs["position"]]):
        action = list_actions(context.services).get(step["action"])
        if action is None or not action.makes_files or step["id"] not in context.outputs:
            continue
        if _workspace(context).has_layer(f"{position:03}-000"):
            continue
        context.log(f"The files of “{step['name']}” are gone from the workspace; they are made again.", stream="info")
        calls = await asyncio.to_thread(plan_calls, step, _expressions(context))
        for number, given in enumerate(calls.inputs if calls else ()):
            await action.execute(_call(context, position, number), dict(given))


async def _undo(context: StepContext) -> Undone:
    """Take back what the calls of a step made."""
    position = context.inputs["position"]
    step = context.run_inputs["steps"][position]
    action = list_actions(context.services).get(step["action"])
    undone = Undone()
    if action is None or action.undo is None:
        return undone
    try:
        calls = await asyncio.to_thread(plan_calls, step, _expressions(context))
    except TemplateFailed:
        calls = None  # then it failed before its first call, or was called once
    for number in reversed(range(len(calls.inputs) if calls else 1)):
        undone += await action.undo(_call(context, position, number))
    return undone


async def _show_output(context: StepContext) -> Outcome:
    """Render the template's output: links beside the run, texts in the log and output."""
    output = context.run_inputs["output"]
    expressions = _expressions(context)
    links = [await _add_link(context, link, expressions) for link in output.get("links") or []]
    texts = []
    for item in output.get("text") or []:
        if is_met(item, expressions, place="output"):
            rendered = ENGINE.render_value({**item, "if": None}, expressions, source="output: text")
            texts.append({"title": rendered.get("title") or "", "content": rendered.get("content") or ""})
            context.log(f"{texts[-1]['title']}\n{texts[-1]['content']}".strip())
    return Done({"links": [link for link in links if link], "text": texts})


async def _add_link(
    context: StepContext, link: Mapping[str, Any], expressions: Mapping[str, Any]
) -> dict[str, str] | None:
    if not is_met(link, expressions, place="output"):
        return None
    rendered = ENGINE.render_value({**link, "if": None}, expressions, source="output: links")
    href = _href_of(rendered)
    if href is None:
        return None
    title = str(rendered.get("title") or href)
    await context.link("output", title=title, href=href)
    return {"title": title, "href": href}


def _href_of(link: Mapping[str, Any]) -> str | None:
    """Return where a link leads; None when it leads nowhere, as its step was skipped."""
    if link.get("entityRef"):
        try:
            return entity_href(parse_ref(link["entityRef"], default_kind="Component"))
        except InvalidRef:
            return None
    url = str(link.get("url") or "")
    return url if url.startswith(("https://", "http://", "/")) else None


def _find_action(context: StepContext, step: Mapping[str, Any]) -> Action:
    actions = list_actions(context.services)
    if step["action"] not in actions:
        raise StepFailed(
            f"This Roadbed does not have the action {step['action']}.",
            hint=f"It has: {', '.join(sorted(actions))}. Install the plugin that adds it, then retry the run.",
        )
    return actions[step["action"]]


def _expressions(context: StepContext) -> dict[str, Any]:
    return make_context({**context.run_inputs, "run_id": str(context.run_id)}, context.outputs)


def _workspace(context: StepContext) -> LayeredWorkspace:
    return LayeredWorkspace(workspaces_folder(context.services) / str(context.run_id))


def _call(context: StepContext, position: int, number: int) -> ActionCall:
    return ActionCall(
        key=f"{context.step_id}:{number}",
        layer=f"{position:03}-{number:03}",
        services=context.services,
        actor=context.actor,
        origin=read_origin(context.run_inputs),
        answers=context.run_inputs["values"],
        workspace=_workspace(context),
        step=context,
    )


def _guard_undo(services: Services, actor: Actor, run_inputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
    action = list_actions(services).get(run_inputs["steps"][inputs["position"]]["action"])
    if action is not None and action.guard_undo is not None:
        action.guard_undo(services, actor, run_inputs, inputs)


ACTION_KIND = StepKind(ACTION_STEP, _execute, undo=_undo, needs_host=True, guard_undo=_guard_undo)
OUTPUT_KIND = StepKind(OUTPUT_STEP, _show_output)
