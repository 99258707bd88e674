"""The steps that restart and stop a workload. Each may be carried out again after a crash."""

from uuid import UUID

from roadbed.environments.service.steering import restart_now, stop_now
from roadbed.environments.types import RESTART_RUN, STOP_RUN
from roadbed.runs.contract import Done, Outcome, StepContext, StepKind


async def _restart(context: StepContext) -> Outcome:
    instance_id, summary = await restart_now(context.services, UUID(context.run_inputs["workload"]))
    return Done({"instance": str(instance_id)}, note=summary)


async def _stop(context: StepContext) -> Outcome:
    instance_id = await stop_now(context.services, UUID(context.run_inputs["workload"]), by=context.actor.label)
    return Done({"instance": str(instance_id)}, note="It stays stopped until it is started or deployed again")


STEERING_STEPS = (StepKind(RESTART_RUN, _restart, needs_host=True), StepKind(STOP_RUN, _stop, needs_host=True))
