"""Who may see and steer runs."""

from collections.abc import Mapping
from typing import Annotated, Any

from roadbed.core.access import DEVELOPERS, VIEWERS, DeciderService, Permission, requires
from roadbed.core.actor import Actor
from roadbed.core.services import Services
from roadbed.runs.types import Guard

RUN_READ = Permission("runs.run.read", "See runs and their logs", VIEWERS)
RUN_CONTROL = Permission("runs.run.control", "Cancel and retry runs", DEVELOPERS)

RunReader = Annotated[Actor, requires(RUN_READ)]
RunController = Annotated[Actor, requires(RUN_CONTROL)]


def needing(permission: Permission) -> Guard:
    """Return a step kind's guard that lets pass who has `permission`."""

    def check(services: Services, actor: Actor, run_inputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:  # noqa: ARG001 - a guard's signature
        services.get(DeciderService).require(actor, permission)

    return check
