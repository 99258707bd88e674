"""What this process is among those that share a database: its role, its executor id, and whether it is the host.

With the embedded database there is one process, which is everything. With an outside one each process holds a lease
(core.leases) and renews it. Whoever cannot renew it in time ends at once, before it runs out: then the leader has the
unfinished work of its executor id done by others, and no step is ever run by two processes at a time. A process that is
alone has nobody to fear, and waits for its database as long as that takes.

The host is the process with the home folder that holds repositories, workloads and their databases. What needs it is
declared (`needs_host` of step kinds, consumers, schedules and providers) and runs nowhere else.
"""

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from roadbed.core import leases
from roadbed.core.background import attempt
from roadbed.core.db import Database, WriteSession
from roadbed.core.errors import Conflict, TransactionLost, Unavailable
from roadbed.core.home import Home
from roadbed.core.leases import HOST, Holder, LeaseRow
from roadbed.core.services import Services
from roadbed.core.settings import Role, Settings
from roadbed.core.workflows import Workflows
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

log = structlog.get_logger(__name__)

# Parts of a lease's length: when it is renewed, and when a process that could not renew it ends.
RENEW_AFTER = 0.25
END_AFTER = 0.75
RETRY_SECONDS = 0.2
FORGET_AFTER = timedelta(hours=1)
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
GUIDE = "docs/how-to/run-several-replicas.md"


class LeaseLost(Conflict):
    """Others may be doing the work of this process."""

    code = "replica.lease_lost"


class HostTaken(Conflict):
    code = "replica.host_taken"


class HostElsewhere(Unavailable):
    """What was asked for is with another process."""

    code = "replica.host_elsewhere"


@dataclass
class Replica:
    """This process among the others.

    Args:
        role: what it does.
        executor_id: under which it takes work.
        is_host: whether it has the home folder.
        host_address: where the host answers, as far as it is known to be up.
        recovers_at: from when on it takes over work, of `time.monotonic`: others have the time to come back from an
            outage that ended this process, too.
    """

    role: Role
    executor_id: str
    is_host: bool
    host_address: str | None = None
    recovers_at: float = 0.0

    def elsewhere(self) -> HostElsewhere:
        """Return the error for what only the host can do."""
        if self.host_address is None:
            return HostElsewhere(
                "Repositories, workloads and their databases are with the host, and no host is up.",
                hint=f"Start `roadbed up` on the machine with its home folder, then try again. See {GUIDE}.",
            )
        return HostElsewhere(
            f"Repositories, workloads and their databases are with the host at {self.host_address}, not here.",
            hint=f"Send this request there, or have the load balancer do so. See {GUIDE}.",
        )


@asynccontextmanager
async def open_replica(services: Services, *, on_lost: Callable[[LeaseLost], None]) -> AsyncIterator[Replica]:
    """Take this process's leases, and keep them until the end.

    Args:
        services: with settings, home and a migrated database; the workflow engine may follow.
        on_lost: ends the process, without waiting for anything.

    Raises:
        HostTaken: another process is the host already.
    """
    settings, home = services.get(Settings), services.get(Home)
    if home.postgres is not None:
        yield Replica(settings.role, home.executor_id, is_host=True)
        return
    is_host = settings.role == "all"
    executor_id = home.executor_id if is_host else f"{settings.role}-{new_id().hex}"
    replica = Replica(settings.role, executor_id, is_host)
    database = Database(home.database_url, pool_size=1, statement_timeout_seconds=3600, services=services)
    keeper = _Keeper(replica, settings, services=services, database=database)
    try:
        await keeper.take_all()
        keeping = asyncio.create_task(keeper.keep(), name="leases")
        report = partial(_report_end, on_lost)
        keeping.add_done_callback(report)
        try:
            yield replica
        finally:
            keeping.remove_done_callback(report)  # cut off in a query it may end with any error, which says nothing
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await keeper.release()
    finally:
        await database.close()


def _report_end(on_lost: Callable[[LeaseLost], None], keeping: "asyncio.Task[None]") -> None:
    error = None if keeping.cancelled() else keeping.exception()
    if isinstance(error, LeaseLost):
        on_lost(error)
    elif error is not None:
        log.error("leases.failed", exc_info=error)
        on_lost(LeaseLost(f"This process can no longer keep its lease: {error!r}.", hint="Start it again."))


@asynccontextmanager
async def open_recovery(services: Services) -> AsyncIterator[None]:
    """Have the work done that processes which are gone left unfinished. Entered once workflows run, and left before.

    Args:
        services: with the replica and the running workflow engine.
    """
    if services.get(Home).postgres is not None:
        await _recover_others(services)
        yield
        return
    recovering = asyncio.create_task(_keep_recovering(services), name="leases: recover")
    try:
        yield
    finally:
        recovering.cancel()
        await asyncio.gather(recovering, return_exceptions=True)


async def _recover_others(services: Services) -> None:
    """As the one process of an embedded database, recover what the executors of a restored one left."""
    async with services.get(Database).write() as session:
        for row in await leases.list_others(session, services.get(Replica).executor_id):
            await services.get(Workflows).recover([row.name])
            await session.delete(row)


async def _keep_recovering(services: Services) -> None:
    """Recover what other processes left, until cancelled."""
    seconds = services.get(Settings).replicas.lease_seconds
    while True:
        await asyncio.sleep(seconds * RENEW_AFTER)
        if time.monotonic() > services.get(Replica).recovers_at:
            await attempt(lambda: _recover_ended(services), "leases.not_taken_over")


async def _recover_ended(services: Services) -> None:
    """As the leader, have the work of processes that are gone done by others.

    For a while again and again: one that was cut off may take a last workflow before it notices.
    """
    async with services.get(Database).write() as session:
        if not await leases.lead(session):
            return
        ended = await leases.list_ended(session)
        if services.get(Replica).executor_id in {row.name for row in ended}:
            return  # this process is late itself: it renews its own lease first, or ends
        for row in ended:
            await services.get(Workflows).recover([row.name])
            if row.holder:
                row.holder = ""  # so that it learns of it, should it come back
                log.warning("leases.taken_over", executor=row.name, process=row.process)
            elif row.expires_at < now() - FORGET_AFTER:
                await session.delete(row)


class _Keeper:
    """Takes, renews and watches leases, over a connection of its own: a busy pool must not cost the lease."""

    def __init__(self, replica: Replica, settings: Settings, *, services: Services, database: Database) -> None:
        self._replica = replica
        self._services = services
        self._database = database
        self._seconds = settings.replicas.lease_seconds
        self._names = (HOST, replica.executor_id) if replica.is_host else (replica.executor_id,)
        machine = platform.node()
        self._holder = Holder(
            holder=new_id().hex,
            place=f"{machine}:{settings.home}",
            process=f"{replica.role}, process {os.getpid()} on {machine}",
            address=f"http://{machine if settings.host in WILDCARDS else settings.host}:{settings.port}",
        )
        self._is_alone = True
        self._ends_at = 0.0

    async def take_all(self) -> None:
        """Take the leases; what a process holds that is gone is waited for.

        Raises:
            HostTaken: the process that has one renews it.
        """
        seen: LeaseRow | None = None
        while True:
            began = time.monotonic()
            async with self._database.write() as session:
                taken = await self._find_taken(session)
                if taken is None:
                    self._ends_at = began + self._seconds * END_AFTER
                    self._replica.recovers_at = began + self._seconds
                    await self._look_around(session)
                    return
            if seen is None:
                seen = taken
                log.info("leases.waiting", lease=taken.name, process=taken.process, until=taken.expires_at.isoformat())
            elif taken.expires_at != seen.expires_at:
                raise HostTaken(
                    f"Another Roadbed is the host of this database already: {taken.process}, at {taken.address}.",
                    hint=f"Stop it first, or start this one with --role web or --role worker. See {GUIDE}.",
                )
            await asyncio.sleep(RETRY_SECONDS)

    async def _find_taken(self, session: WriteSession) -> LeaseRow | None:
        """Take one lease after the other, and return the first that somebody else has."""
        for name in self._names:
            if not await leases.take(session, name, self._holder, seconds=self._seconds):
                return await leases.get(session, name)
        return None

    async def keep(self) -> None:
        """Renew, until cancelled.

        Raises:
            LeaseLost: this process has to end.
        """
        while True:
            await asyncio.sleep(self._seconds * RENEW_AFTER)
            await self._renew_in_time()

    @property
    def _is_working(self) -> bool:
        """Whether there is work that others may take over. Before, the start may hold up everything for long."""
        workflows = self._services.find(Workflows)
        return workflows is not None and workflows.is_launched

    async def _renew_in_time(self) -> None:
        while True:
            began = time.monotonic()
            left = self._ends_at - began
            if left <= 0 and self._is_working and not self._is_alone:
                raise LeaseLost(
                    f"This process could not renew its lease for {self._seconds * END_AFTER:.0f} s and ends, because "
                    "others will take its work over.",
                    hint="Look whether the database answers and the machine is overloaded, then start it again.",
                )
            try:
                async with asyncio.timeout(left if left > 0 else self._seconds):
                    await self._renew()
            except (TransactionLost, TimeoutError) as error:
                log.warning("leases.not_renewed", error=repr(error), seconds_left=round(left, 1))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._ends_at = began + self._seconds * END_AFTER
            return

    async def _renew(self) -> None:
        async with self._database.write() as session:
            kept = await leases.renew(session, self._holder.holder, seconds=self._seconds)
            if kept < set(self._names) and (self._is_working or await self._find_taken(session) is not None):
                raise LeaseLost(
                    "The lease of this process was taken away: others are doing its work, so it ends.",
                    hint="Start it again. If it was not cut off for a while, see whether a second Roadbed was started "
                    "from the same home folder.",
                )
            await self._look_around(session)

    async def _look_around(self, session: WriteSession) -> None:
        self._is_alone = not await leases.count_others(session, self._holder.holder)
        self._replica.host_address = await leases.find_host_address(session)

    async def release(self) -> None:
        """Give the leases back; what this process did not finish is done by others."""
        try:
            async with self._database.write() as session:
                await leases.release(session, self._holder.holder)
        except TransactionLost as error:
            log.warning("leases.not_released", error=str(error), hint="they run out by themselves")
