"""A stage of a pipeline: calls its make targets, collects what they report, and says how it went on the commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from roadbed.artifacts.contract import Artifact, ArtifactFilter, list_artifacts, remove_artifact
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.services import Services
from roadbed.delivery import repository as table
from roadbed.delivery.access import PIPELINE_RUN, require_isolation
from roadbed.delivery.rules.frozen import thaw_stage
from roadbed.delivery.rules.pipelines import holds
from roadbed.delivery.rules.reports import count_tests
from roadbed.delivery.rules.words import (
    condition_words,
    count_words,
    failed_tests,
    is_up_to_date,
    lacks_target,
    last_lines,
    report_words,
)
from roadbed.delivery.types import ReportKind, ReportState, Stage, StageStep
from roadbed.delivery.workflows.artifact import NothingThere, keep_artifact
from roadbed.delivery.workflows.checkout import open_place
from roadbed.delivery.workflows.harvest import Harvest, collect
from roadbed.delivery.workflows.runner import CommandEnd, Runner
from roadbed.delivery.workflows.speaking import condition_values, say_of_step, speaking
from roadbed.delivery.workflows.workspaces import Place
from roadbed.environments.contract import find_artifact_user
from roadbed.kit.text import duration, filesize, plural
from roadbed.runs.contract import Done, Outcome, Skip, StepContext, StepFailed, StepKind, Undone
from roadbed.scm.contract import StatusState


@dataclass
class _Work:
    """A stage while it is worked on."""

    stage: Stage
    place: Place
    harvest: Harvest
    artifact: Artifact | None = None
    skipped: list[str] = field(default_factory=list)
    tolerated: list[str] = field(default_factory=list)


async def _execute(context: StepContext) -> Outcome:
    """Work on one stage. It is begun anew when the server was stopped in the middle."""
    stage = thaw_stage(context.inputs["stage"])
    if not holds(stage.when, condition_values(context)):
        reason = condition_words(stage.when)
        await say_of_step(context, StatusState.SUCCESS, f"Skipped: {reason}")
        return Skip(reason)
    async with speaking(context), open_place(context) as place:
        work = _Work(stage, place, Harvest(stage.id))
        try:
            for step in stage.steps:
                await _do(context, work, step)
        finally:
            await _keep(context, work)
    text = _words(work)
    if len(work.skipped) == len(stage.steps):
        await say_of_step(context, StatusState.SUCCESS, f"Skipped: {text}")
        return Skip(text)
    await say_of_step(context, StatusState.SUCCESS, text)
    output = {"artifact": work.artifact.digest} if work.artifact else {}
    return Done(output, note=text or None)


async def _do(context: StepContext, work: _Work, step: StageStep) -> None:
    if not holds(step.when, condition_values(context)):
        work.skipped.append(f"{step.name}: {condition_words(step.when)}")
        return
    try:
        if step.uses == "artifact":
            work.artifact = await keep_artifact(context, work.place, step.arguments)
        elif step.make is not None:
            await _make(context, work, step, step.make)
    except NothingThere as error:
        if work.stage.is_required and not step.may_fail:
            raise
        work.skipped.append(error.message)
        context.log(error.message, stream="info")
    except StepFailed as error:
        if not step.may_fail:
            raise
        work.tolerated.append(error.message)
        context.log(f"{error.message} The pipeline allows that.", stream="info")


async def _make(context: StepContext, work: _Work, step: StageStep, target: str) -> None:
    timeout_seconds = step.timeout_seconds or work.stage.timeout_seconds
    context.log(f"$ make {target}", stream="info")
    ended = await context.services.get(Runner).run(
        context, ["make", target], place=work.place, timeout_seconds=timeout_seconds
    )
    if ended.outcome.exit_code == 2 and lacks_target(ended.lines, target):
        raise NothingThere(
            f"The Makefile has no target {target}.",
            hint=f"Add one: the pipeline requires it. `make {target}` must fail when something is wrong.",
        )
    if is_up_to_date(ended.lines, target):
        context.log(
            f"A file or folder is called {target} too. Write `.PHONY: {target}` into the Makefile.", stream="info"
        )
    seen = len(work.harvest.cases)
    await collect(context.services, work.place, step.reports, work.harvest)
    for remark in work.harvest.remarks:
        context.log(remark, stream="info")
    work.harvest.remarks.clear()
    if not ended.outcome.is_success:
        raise _failure(work, step, ended, first_case=seen)


def _failure(work: _Work, step: StageStep, ended: CommandEnd, *, first_case: int) -> StepFailed:
    """Return the failure of a command in words: its failed tests or checks if it reported any, else its last lines."""
    again = "Mend it and push again, or retry if the reason has gone away."
    if ended.outcome.is_timed_out:
        return StepFailed(
            f"{step.name} did not end within {duration(ended.outcome.duration_seconds)} and was ended.",
            hint="Make it faster, or raise timeoutSeconds of the stage in the pipeline.",
        )
    cases = work.harvest.cases[first_case:]
    counts = count_tests(cases)
    if counts.failed:
        return StepFailed(f"{count_words(counts)}: {failed_tests(cases)}", hint=again)
    for report in work.harvest.reports:
        if report.kind is ReportKind.SCAN and report.state is ReportState.FAILED:
            failed = [check["detail"] for check in report.summary["checks"] if check["state"] == ReportState.FAILED]
            return StepFailed(f"{step.name} found something. {' '.join(failed)}", hint=again)
    said = last_lines(ended.lines)
    return StepFailed(
        f"{step.name} ended with code {ended.outcome.exit_code}" + (f": {said}" if said else ", and printed nothing."),
        hint=again,
    )


async def _keep(context: StepContext, work: _Work) -> None:
    """Keep what was reported, also by a stage that failed."""
    harvest = work.harvest
    async with context.database.write() as session:
        await table.replace_reports(
            session, context.run_id, work.stage.id, reports=harvest.reports, cases=harvest.cases
        )
    if harvest.cases:
        await context.link(
            "tests",
            title=f"Results of {work.stage.title}",
            href=f"/runs/{context.run_id}/tests",
            meta=count_words(count_tests(harvest.cases)),
        )


def _words(work: _Work) -> str:
    """Return one line on the stage."""
    harvest, parts = work.harvest, []
    if harvest.cases:
        parts.append(count_words(count_tests(harvest.cases)))
    parts += [report_words(report) for report in harvest.reports if report.kind is not ReportKind.JUNIT]
    if work.artifact is not None:
        parts.append(f"{plural(work.artifact.file_count, 'file')}, {filesize(work.artifact.size_bytes)}")
    return ", ".join([*parts, *work.skipped, *work.tolerated])


async def _undo(context: StepContext) -> Undone:
    """Delete the artifact that this run kept, unless something is deployed from it."""
    stage = thaw_stage(context.inputs["stage"])
    if not any(step.uses == "artifact" for step in stage.steps):
        return Undone()
    undone = Undone()
    async with context.database.write() as session:
        for artifact in await list_artifacts(session, ArtifactFilter(run_id=context.run_id)):
            what = f"the artifact {artifact.name} {artifact.version}"
            user = await find_artifact_user(session, artifact.digest)
            if user is not None:
                undone += Undone(kept=(f"{what}, because {user} was deployed from it",))
                continue
            await remove_artifact(session, context.actor, artifact)
            undone += Undone((what,))
    return undone


def _guard_retry(services: Services, actor: Actor, run_inputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:  # noqa: ARG001 - a guard's signature
    services.get(DeciderService).require(actor, PIPELINE_RUN)
    require_isolation(services, actor)


STAGE_STEP = StepKind(
    "delivery.stage", _execute, undo=_undo, timeout_seconds=90_000, needs_host=True, guard_retry=_guard_retry
)
