"""The first step of a pipeline run: a fresh workspace with the files of the commit."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from roadbed.core.sandbox import remove_tree
from roadbed.delivery.workflows.runner import Runner
from roadbed.delivery.workflows.workspaces import Place
from roadbed.kit.text import plural
from roadbed.runs.contract import Done, Outcome, StepContext, StepFailed, StepKind
from roadbed.scm.contract import RepositoryNotFound, RevisionNotFound, export

_GIT = "git init -q . && git add -A -f ."


@asynccontextmanager
async def open_place(context: StepContext, *, is_fresh: bool = False) -> AsyncIterator[Place]:
    """Give the place of the step's run, with the files of its commit and a cache, to this step alone.

    A workspace is cleared away some time after its run ended, which may be just when the run is retried: the retry
    waits for that, and finds the commit checked out anew.

    Args:
        context: the step.
        is_fresh: check out in any case, in place of what is there.
    """
    runner = context.services.get(Runner)
    async with runner.lock_of(context.run_id):
        place = await asyncio.to_thread(runner.folders.open, context.run_id)
        owner = context.run_inputs["repository"].partition("/")[0]
        await asyncio.to_thread(runner.folders.take_cache, place, owner)
        if is_fresh and os.path.lexists(place.source):
            await asyncio.to_thread(remove_tree, place.source)
        if not place.source.is_dir():
            await _check_out(context, runner, place)
        yield place


async def _check_out(context: StepContext, runner: Runner, place: Place) -> None:
    repository, commit = context.run_inputs["repository"], context.run_inputs["commit"]
    fresh = place.folder / "source.new"
    if os.path.lexists(fresh):
        await asyncio.to_thread(remove_tree, fresh)
    fresh.mkdir()
    try:
        await export(context.services, UUID(context.run_inputs["repository_id"]), commit, fresh)
    except (RepositoryNotFound, RevisionNotFound) as error:
        raise StepFailed(
            f"{repository} has no commit {commit[:12]} any more.", hint="It was deleted. Push it again."
        ) from error
    # Tools that ask git which files there are shall get an answer. History is not checked out.
    ended = await runner.run(context, ["sh", "-c", f"cd source.new && {_GIT}"], place=place, timeout_seconds=120)
    if not ended.outcome.is_success:
        context.log("git could not be set up in the workspace; tools that ask it will find no files.", stream="info")
    fresh.rename(place.source)


async def _execute(context: StepContext) -> Outcome:
    """Check out the commit, into an empty workspace."""
    async with open_place(context, is_fresh=context.attempt > 1) as place:
        count = await asyncio.to_thread(_count_files, place)
    context.log(f"{plural(count, 'file')} of {context.run_inputs['repository']} at {context.run_inputs['commit']}")
    return Done({"files": count}, note=f"{context.run_inputs['branch']}, {plural(count, 'file')}")


def _count_files(place: Place) -> int:
    return sum(path.is_file() for path in place.source.rglob("*") if ".git" not in path.parts)


CHECKOUT_STEP = StepKind("delivery.checkout", _execute, timeout_seconds=90_000, needs_host=True)
