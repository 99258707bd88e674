"""What the steps of a pipeline say on the commit, and what their conditions see."""

import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from roadbed.core.errors import RoadbedError
from roadbed.delivery.service.statuses import Word, say_of_run
from roadbed.runs.contract import StepContext, StepFailed
from roadbed.scm.contract import StatusState


def condition_values(context: StepContext) -> dict[str, object]:
    inputs = context.run_inputs
    return {
        "branch": inputs["branch"],
        "isDefaultBranch": inputs["is_default_branch"],
        "repository": inputs["repository"],
        "commit": inputs["commit"],
    }


@contextlib.asynccontextmanager
async def speaking(context: StepContext) -> AsyncIterator[None]:
    """Say on the commit that the stage began, and that it failed when it does."""
    await say_of_step(context, StatusState.PENDING, "Running")
    try:
        yield
    except StepFailed as error:
        await say_of_step(context, StatusState.FAILURE, error.message)
        raise
    except RoadbedError as error:
        await say_of_step(context, StatusState.ERROR, error.message)
        raise


async def say_of_step(context: StepContext, state: StatusState, text: str) -> None:
    word = Word(state, text, context.key)
    async with context.database.write() as session:
        await say_of_run(
            session,
            UUID(context.run_inputs["repository_id"]),
            commit=context.run_inputs["commit"],
            word=word,
            run_id=context.run_id,
        )
