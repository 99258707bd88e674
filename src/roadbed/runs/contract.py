"""What other domains may use of runs."""

from roadbed.runs.access import RUN_CONTROL, RUN_READ
from roadbed.runs.errors import StepFailed
from roadbed.runs.rules import state_words
from roadbed.runs.service import (
    append_lines,
    cancel_run,
    find_run,
    list_children,
    list_open_runs,
    list_runs_of,
    resume_waits,
    start_run,
    wait_for_run,
)
from roadbed.runs.service.control import RunPlan
from roadbed.runs.types import (
    PLACE_FACTS,
    PLACE_WAITING,
    STEPS,
    Done,
    OpenRun,
    Outcome,
    RunFinished,
    RunState,
    RunSummary,
    Skip,
    StepContext,
    StepKind,
    StepPlan,
    StepState,
    Wait,
)

__all__ = [
    "PLACE_FACTS",
    "PLACE_WAITING",
    "RUN_CONTROL",
    "RUN_READ",
    "STEPS",
    "Done",
    "OpenRun",
    "Outcome",
    "RunFinished",
    "RunPlan",
    "RunState",
    "RunSummary",
    "Skip",
    "StepContext",
    "StepFailed",
    "StepKind",
    "StepPlan",
    "StepState",
    "Wait",
    "append_lines",
    "cancel_run",
    "find_run",
    "list_children",
    "list_open_runs",
    "list_runs_of",
    "resume_waits",
    "start_run",
    "state_words",
    "wait_for_run",
]
