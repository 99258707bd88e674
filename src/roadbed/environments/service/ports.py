"""Giving ports to instances, one at a time over all of Roadbed."""

from roadbed.core.db import WriteSession, lock_transaction
from roadbed.core.settings import Settings
from roadbed.environments.repository import instances as rows
from roadbed.environments.service.runtime import ports


async def take_port(session: WriteSession) -> int:
    """Return a port that no other instance has, to be written down in this transaction.

    Raises:
        NoFreePort: all ports for workloads are in use.
    """
    await lock_transaction(session, "environments:ports")
    settings = session.services.get(Settings).environments
    taken = await rows.list_taken_ports(session)
    return ports.choose_port(first=settings.first_port, count=settings.port_count, taken=taken)
