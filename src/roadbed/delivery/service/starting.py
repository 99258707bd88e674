"""Starting pipelines: once for each repository, commit and pipeline."""

from dataclasses import dataclass
from uuid import UUID

from roadbed.core.actor import Actor, ActorKind, system_actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.events import Envelope
from roadbed.delivery import repository as table
from roadbed.delivery.access import require_isolation
from roadbed.delivery.errors import NothingToRun, NotIsolated, PipelineInvalid
from roadbed.delivery.models import PipelineRunRow
from roadbed.delivery.rules.frozen import freeze_stage
from roadbed.delivery.rules.pipelines import is_for_branch
from roadbed.delivery.service.choosing import Project, get_pipeline, read_project
from roadbed.delivery.service.statuses import Word, say
from roadbed.delivery.types import CHECKOUT, PIPELINE_KIND, Pipeline
from roadbed.identity.contract import find_account, find_actor
from roadbed.kit.clock import now
from roadbed.runs.contract import RunCancelled, RunPlan, RunSummary, StepPlan, find_run, start_run
from roadbed.scm.contract import (
    ZERO_SHA,
    Pushed,
    Repository,
    RepositoryNotFound,
    RevisionNotFound,
    StatusState,
    find_commit,
    get_repository_by_id,
)


@dataclass(frozen=True)
class _Start:
    repository: Repository
    commit: str
    branch: str
    project: Project
    pipeline: Pipeline
    parent_run_id: UUID | None = None


async def ensure_pipeline_run(
    session: WriteSession,
    actor: Actor,
    repository: Repository,
    *,
    commit: str,
    branch: str,
    parent_run_id: UUID | None = None,
) -> RunSummary:
    """Return the run of the repository's pipeline for a commit, started now if there is none yet.

    Args:
        session: the run begins when its transaction is committed.
        actor: who starts it.
        repository: whose pipeline.
        commit: a commit id or branch.
        branch: the branch it was pushed to.
        parent_run_id: the run that this one is a part of, when it is that one which starts it.

    Raises:
        RevisionNotFound: there is no such commit.
        NothingToRun: it has no Makefile.
        PipelineInvalid: the pipeline does not exist, or cannot be run.
        NotIsolated: the machine cannot isolate commands, and the actor is no admin.
    """
    sha = await find_commit(session.services, repository, commit)
    if sha is None:
        raise RevisionNotFound(f"{repository.full_name} has no commit {commit[:100]!r}.", hint="Push it first.")
    project = await read_project(session, repository, sha)
    if not project.has_makefile:
        raise NothingToRun(
            f"{repository.full_name} has no Makefile at {sha[:7]}, so its pipeline has nothing to call.",
            hint="Add a Makefile with the targets that the pipeline names, such as `test` and `build`.",
        )
    pipeline = await get_pipeline(session, project.pipeline)
    return await _start(session, actor, _Start(repository, sha, branch, project, pipeline, parent_run_id))


async def _start(session: WriteSession, actor: Actor, start: _Start) -> RunSummary:
    """Start the run of a commit, or return the one it has.

    A commit that comes to the default branch from another one has a second run there: that one deploys.
    """
    is_isolated = require_isolation(session.services, actor)
    repository, pipeline = start.repository, start.pipeline
    is_default = start.branch == repository.default_branch
    if not is_default:
        known = await table.find_default_run(session, repository.id, commit=start.commit, pipeline=pipeline.ref)
        found = await find_run(session, known) if known else None
        if found is not None:
            return found
    inputs = {
        "repository_id": str(repository.id),
        "repository": repository.full_name,
        "commit": start.commit,
        "branch": start.branch,
        "is_default_branch": is_default,
        "name": start.project.name,
        "pipeline": pipeline.ref,
        "version": pipeline.version,
    }
    run = await start_run(
        session,
        actor,
        RunPlan(
            kind=PIPELINE_KIND,
            title=f"Pipeline of {repository.full_name} at {start.commit[:7]}"
            + ("" if is_isolated else ", not isolated"),
            steps=_plan_steps(pipeline),
            subject=start.project.subject,
            inputs=inputs,
            key=f"{repository.id}:{start.commit}:{pipeline.ref}" + ("" if is_default else ":branch"),
            parent_run_id=start.parent_run_id,
        ),
    )
    if await table.find(session, run.id) is None:
        _add_row(session, run, start, is_isolated=is_isolated)
        word = Word(StatusState.PENDING, f"{pipeline.ref} {pipeline.version}")
        await say(session, repository, commit=start.commit, word=word, run_id=run.id)
    return run


def _plan_steps(pipeline: Pipeline) -> list[StepPlan]:
    stages = (
        StepPlan(
            stage.id,
            stage.title,
            "delivery.deploy" if stage.environment else "delivery.stage",
            {"stage": freeze_stage(stage)},
        )
        for stage in pipeline.stages
    )
    return [StepPlan(CHECKOUT, "Check out", "delivery.checkout"), *stages]


def _add_row(session: WriteSession, run: RunSummary, start: _Start, *, is_isolated: bool) -> None:
    session.add(
        PipelineRunRow(
            run_id=run.id,
            repository_id=start.repository.id,
            repository=start.repository.full_name,
            commit=start.commit,
            branch=start.branch,
            is_default_branch=start.branch == start.repository.default_branch,
            pipeline=start.pipeline.ref,
            version=start.pipeline.version,
            subject=start.project.subject,
            is_isolated=is_isolated,
            artifact=None,
            created_at=now(),
        )
    )


async def follow_push(session: WriteSession, envelope: Envelope[Pushed]) -> None:
    """Start the pipeline of a branch that was pushed to, when its files ask for one."""
    event = envelope.event
    if event.branch is None or event.after == ZERO_SHA:
        return
    try:
        repository = await get_repository_by_id(session, UUID(event.repository_id))
    except RepositoryNotFound:
        return
    if await find_commit(session.services, repository, event.after) is None:
        return  # the branch was rewritten and cleared away since
    try:
        await _start_for_push(session, event, event.branch, repository)
    except (PipelineInvalid, NotIsolated, RunCancelled) as error:
        word = Word(StatusState.ERROR, f"Not started: {error.message}")
        await say(session, repository, commit=event.after, word=word)


async def _start_for_push(session: WriteSession, event: Pushed, branch: str, repository: Repository) -> None:
    project = await read_project(session, repository, event.after)
    if not (project.has_makefile and project.has_catalog_file):
        return
    pipeline = await get_pipeline(session, project.pipeline)
    is_wanted = is_for_branch(pipeline, branch, is_default=branch == repository.default_branch)
    if "push" in pipeline.triggers and is_wanted:
        actor = await _find_pusher(session, event.pusher)
        is_first = event.before == ZERO_SHA and event.is_default_branch
        maker = repository.created_by_run if is_first else None  # the run that made it waits for this, or was cancelled
        await _start(session, actor, _Start(repository, event.after, branch, project, pipeline, maker))


async def _find_pusher(session: ReadSession, label: str) -> Actor:
    """Return who pushed, with today's rights; without any when the account is gone."""
    kind, _, name = label.partition(":")
    if kind == ActorKind.SYSTEM:
        return system_actor(name)
    account = await find_account(session, name)
    actor = await find_actor(session, account.id) if account else None
    return actor or Actor(kind=ActorKind(kind), id=label, name=name)
