"""A plugin for crash tests: a run whose steps leave marks on disk, so that each effect can be counted."""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from roadbed.core.access import DEVELOPERS, PERMISSIONS, Permission, requires
from roadbed.core.actor import Actor
from roadbed.core.db import Writing
from roadbed.core.extension import Module
from roadbed.core.routes import API
from roadbed.runs.contract import STEPS, Done, Outcome, RunPlan, StepContext, StepKind, StepPlan, start_run

START = Permission("crash.run.start", "Start a run of the crash tests", DEVELOPERS)

router = APIRouter()


class Wish(BaseModel):
    folder: str
    steps: int
    key: str


@router.post("/crash-runs")
async def start(session: Writing, actor: Annotated[Actor, requires(START)], body: Wish) -> dict[str, str]:
    """Start a run that makes one file a step."""
    steps = [
        StepPlan(f"mark-{number}", f"Mark {number}", "crash.mark", {"folder": body.folder})
        for number in range(body.steps)
    ]
    run = await start_run(session, actor, RunPlan("crash", "Crash run", steps, key=body.key))
    return {"run_id": str(run.id)}


async def _mark(context: StepContext) -> Outcome:
    """Make one file named by the step, found again when it is there already; tell each attempt, heed a hold."""
    folder = Path(context.inputs["folder"])
    with (folder / "attempts.txt").open("a") as attempts:
        attempts.write(f"{context.key} {context.attempt}\n")
    context.log(f"attempt {context.attempt}")
    while (folder / "hold").exists():  # noqa: ASYNC110 - the test holds the step with a file
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)
    made = folder / f"{context.step_id}.mark"
    is_new = not made.exists()
    made.touch()
    await asyncio.sleep(0.05)
    return Done({"mark": made.name, "is_new": is_new})


PLUGIN = Module("crash-tests", (PERMISSIONS.add(START), API.add(router), STEPS.add(StepKind("crash.mark", _mark))))
