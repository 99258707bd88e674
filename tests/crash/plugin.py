"""A plugin for crash tests: a run whose steps leave marks on disk, so that each effect can be counted.

With CRASH_TICKS_FILE set it also has a schedule, each second, that writes down which process ran which time.
"""

import asyncio
import os
from pathlib import Path
from typing import Annotated

from dbos import DBOS
from fastapi import APIRouter
from pydantic import BaseModel

from roadbed.core.access import DEVELOPERS, PERMISSIONS, Permission, requires
from roadbed.core.actor import Actor
from roadbed.core.db import Writing
from roadbed.core.extension import Module
from roadbed.core.routes import API
from roadbed.core.services import Services
from roadbed.core.workflows import SCHEDULES, Schedule
from roadbed.runs.contract import STEPS, Done, Outcome, RunPlan, StepContext, StepKind, StepPlan, start_run

START = Permission("crash.run.start", "Start a run of the crash tests", DEVELOPERS)

router = APIRouter()


class Wish(BaseModel):
    folder: str
    steps: int
    key: str
    host_steps: int = 0


@router.post("/crash-runs")
async def start(session: Writing, actor: Annotated[Actor, requires(START)], body: Wish) -> dict[str, str]:
    """Start a run that makes one file a step."""
    steps = [
        StepPlan(f"mark-{number}", f"Mark {number}", "crash.mark", {"folder": body.folder})
        for number in range(body.steps)
    ]
    steps += [
        StepPlan(f"host-{number}", f"Host {number}", "crash.host", {"folder": body.folder})
        for number in range(body.host_steps)
    ]
    run = await start_run(session, actor, RunPlan("crash", "Crash run", steps, key=body.key))
    return {"run_id": str(run.id)}


def _append(file: Path, line: str) -> None:
    with file.open("a") as lines:
        lines.write(f"{line}\n")


async def _mark(context: StepContext) -> Outcome:
    """Make one file named by the step, found again when it is there already; and tell each attempt.

    While there is a file `hold`, the step stays in its middle.
    """
    folder = Path(context.inputs["folder"])
    _append(folder / "attempts.txt", f"{context.key} {context.attempt} {os.getpid()}")
    context.log(f"attempt {context.attempt}")
    await asyncio.sleep(0.05)
    while (folder / "hold").exists():  # noqa: ASYNC110 - a test in another process holds it
        await asyncio.sleep(0.02)
    made = folder / f"{context.step_id}.mark"
    is_new = not made.exists()
    made.touch()
    await asyncio.sleep(0.05)
    return Done({"mark": made.name, "is_new": is_new})


async def _tick(_: Services) -> None:
    _append(Path(os.environ["CRASH_TICKS_FILE"]), f"{DBOS.workflow_id} {os.getpid()}")


PLUGIN = Module(
    "crash-tests",
    (
        PERMISSIONS.add(START),
        API.add(router),
        STEPS.add(StepKind("crash.mark", _mark), StepKind("crash.host", _mark, needs_host=True)),
        SCHEDULES.add(*([Schedule("crash.tick", "* * * * * *", _tick)] if "CRASH_TICKS_FILE" in os.environ else [])),
    ),
)
