"""Use cases of runs: start, resume, cancel, retry, and reading logs."""

from roadbed.runs.service.control import (
    cancel_run,
    list_waited_keys,
    resume_overdue,
    resume_waits,
    retry_run,
    start_run,
)
from roadbed.runs.service.logs import LogLine, append_lines, read_lines
from roadbed.runs.service.reading import (
    find_run,
    get_run,
    get_step,
    list_children,
    list_open_runs,
    list_unfinished_runs,
    summarise,
    wait_for_run,
)
from roadbed.runs.service.steering import cancel_by, retry_by

__all__ = [
    "LogLine",
    "append_lines",
    "cancel_by",
    "cancel_run",
    "find_run",
    "get_run",
    "get_step",
    "list_children",
    "list_open_runs",
    "list_unfinished_runs",
    "list_waited_keys",
    "read_lines",
    "resume_overdue",
    "resume_waits",
    "retry_by",
    "retry_run",
    "start_run",
    "summarise",
    "wait_for_run",
]
