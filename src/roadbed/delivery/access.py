"""Who may see and start pipelines."""

from typing import Annotated

from roadbed.core.access import ADMINS, DEVELOPERS, VIEWERS, Permission, requires
from roadbed.core.actor import Actor

PIPELINE_READ = Permission("delivery.pipeline.read", "See pipeline runs and their results", VIEWERS)
PIPELINE_RUN = Permission("delivery.pipeline.run", "Start pipelines", DEVELOPERS)
PIPELINE_RUN_UNISOLATED = Permission(
    "delivery.pipeline.run_unisolated", "Start pipelines on a machine that cannot isolate them", ADMINS
)

PipelineReader = Annotated[Actor, requires(PIPELINE_READ)]
PipelineStarter = Annotated[Actor, requires(PIPELINE_RUN)]
