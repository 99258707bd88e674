"""What happens when the run of a deployment ends, however it does."""

from uuid import UUID

from roadbed.core.db import Database, WriteSession
from roadbed.core.events import Envelope
from roadbed.environments.service.instances import retire_instance
from roadbed.environments.service.progress import settle
from roadbed.environments.types import DEPLOY_RUN
from roadbed.runs.contract import RunFinished, RunState, find_run


async def finish(session: WriteSession, envelope: Envelope[RunFinished]) -> None:
    """Write how the deployment ended, and stop what it started in vain."""
    event = envelope.event
    if event.kind != DEPLOY_RUN:
        return
    run = await find_run(session, UUID(event.run_id))
    if run is None or run.state is not RunState(event.state):
        return  # retried since: it will end once more
    # A transaction of its own, because the runtime writes to the same rows when it stops an instance.
    async with session.services.get(Database).write() as own:
        dropped = await settle(own, run)
    for instance_id in dropped:
        await retire_instance(session.services, instance_id)
