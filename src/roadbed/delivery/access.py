"""Who may see and start pipelines."""

from typing import Annotated

from roadbed.core.access import ADMINS, DEVELOPERS, VIEWERS, DeciderService, Permission, requires
from roadbed.core.actor import Actor
from roadbed.core.sandbox import Sandbox
from roadbed.core.services import Services
from roadbed.delivery.errors import NotIsolated

PIPELINE_READ = Permission("delivery.pipeline.read", "See pipeline runs and their results", VIEWERS)
PIPELINE_RUN = Permission("delivery.pipeline.run", "Start pipelines", DEVELOPERS)
PIPELINE_RUN_UNISOLATED = Permission(
    "delivery.pipeline.run_unisolated", "Start pipelines on a machine that cannot isolate them", ADMINS
)

PipelineReader = Annotated[Actor, requires(PIPELINE_READ)]
PipelineStarter = Annotated[Actor, requires(PIPELINE_RUN)]


def require_isolation(services: Services, actor: Actor) -> bool:
    """Tell whether this machine isolates commands; where it cannot, let only those pass who may do without.

    Raises:
        NotIsolated: with the reason.
    """
    isolation = services.get(Sandbox).isolation
    if isolation.is_isolated:
        return True
    if not services.get(DeciderService).has(actor, PIPELINE_RUN_UNISOLATED):
        raise NotIsolated(
            f"This machine cannot isolate the commands of a pipeline: {isolation.reason}.",
            hint="An admin can start it as it is. To make pipelines isolated, install bubblewrap on the server.",
        )
    return False
