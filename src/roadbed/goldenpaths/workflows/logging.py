"""The action `debug:log`: a message, and what lies in the workspace, in the run's log."""

from typing import Any

from roadbed.goldenpaths.types import Action, ActionCall
from roadbed.runs.contract import Done, Outcome

_INPUT = {
    "type": "object",
    "properties": {
        "message": {"type": ["string", "number", "boolean", "null"]},
        "extra": {},
        "listWorkspace": {"type": ["boolean", "string"]},
    },
}


async def _log(call: ActionCall, given: dict[str, Any]) -> Outcome:
    if given.get("message") is not None:
        call.step.log(str(given["message"]))
    if given.get("extra") is not None:
        call.step.log(str(given["extra"]))
    if given.get("listWorkspace"):
        for path in sorted(await call.workspace.read()):
            call.step.log(path)
    return Done()


DEBUG_LOG = Action("debug:log", "Write to the log", _INPUT, _log)
