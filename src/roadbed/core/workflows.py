"""Durable workflows: the only module that knows DBOS.

A workflow is an async function of JSON arguments, registered under a stable name. It is enqueued in the transaction
that wants it, runs at least once on some process, and after a crash is run again from its last recorded step: every
side effect inside one goes through `Workflows.step`, whose result is recorded and not computed again.

What DBOS needs to know to keep running old work after an upgrade is constant here: the application's name, its
version, the schema, the names of queues. What changes with Roadbed's versions are the arguments and the step kinds,
which carry versions of their own (runs.interpreter).
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

import psycopg
import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, Queue, Serializer, _workflow_commands
from dbos import EnqueueOptions as DbosEnqueueOptions
from dbos._core import execute_dequeued_workflow
from sqlalchemy import Engine, ExceptionContext, event, func, select
from sqlalchemy.orm import Session

from roadbed.core.background import attempt
from roadbed.core.db import Database, WriteSession
from roadbed.core.errors import RoadbedError
from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.listen import listen
from roadbed.core.services import Services
from roadbed.kit import jsons
from roadbed.kit.clock import now

log = structlog.get_logger(__name__)

APPLICATION = "roadbed"
APPLICATION_VERSION = "1"
SCHEMA = "dbos"
QUEUE = "segments"
HOST_QUEUE = "host"
SCHEDULE_QUEUE = "schedules"
# What Roadbed enqueues or recovers is begun at once (`Workflows._follow`). These looks of DBOS find what a lost
# notification or a schedule left; each costs 4 ms of processor, idle or not. Nothing is put into DBOS's own queue.
POLL_SECONDS = {QUEUE: 5.0, HOST_QUEUE: 5.0, SCHEDULE_QUEUE: 5.0}
OWN_POLL_SECONDS = 60.0
# Between looks for what Roadbed has none of: messages, which a stop waits for, and delayed workflows and time limits,
# whose lock the database takes away after 5 s.
MESSAGES_SECONDS = 0.2
LIMITS_SECONDS = 4.0
CHANNEL = "roadbed_workflows"
BUSY_SECONDS = 0.2
KEEP_FINISHED = timedelta(days=14)
CONNECTIONS = 5

Workflow = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Schedule:
    """Something to do again and again.

    Args:
        name: stored; stays the same.
        cron: five fields, or six with seconds first; UTC.
        action: runs as a workflow, once however many processes there are; at most one missed time is made up for.
        needs_host: it runs only on the host (core.replica).
    """

    name: str
    cron: str
    action: Callable[[Services], Awaitable[None]]
    needs_host: bool = False


SCHEDULES: Slot[Schedule] = Slot(ContributionKind.SCHEDULE, Schedule)


class RecordedError(RoadbedError):
    """An error read back from a finished step or workflow of an earlier process."""

    code = "workflows.recorded_error"


class _JsonSerializer(Serializer):
    """Stores values as JSON, so that other versions and other people can read them. Errors keep their words."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = {"__error__": {"type": type(data).__name__, "message": str(data)}}
        return jsons.canonical_json(data).decode()

    def deserialize(self, serialized_data: str) -> Any:
        data = jsons.parse_json(serialized_data)
        if isinstance(data, dict) and set(data) == {"__error__"}:
            return RecordedError(f"{data['__error__']['type']}: {data['__error__']['message']}")
        return data

    def name(self) -> str:
        return "roadbed_json"


class _LoopThreads(ThreadPoolExecutor):
    """The threads of an event loop, as DBOS takes them: it puts an executor over its own in their place otherwise.

    Those end with the engine, and whoever else needs a thread of the loop while it closes would be refused.
    """

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        super().__init__(sys.maxsize, thread_name_prefix="loop")  # as many as DBOS has: none waits for another
        self.executor = executor


class Workflows:
    """The workflow engine of this process. One a process: DBOS keeps its state in the module."""

    def __init__(
        self, *, url: str, executor_id: str, queues: Sequence[str], concurrency: int, services: Services
    ) -> None:
        """Prepare the engine; `launch` starts it.

        Args:
            url: the same database as `core.db`, as `postgresql://…`.
            executor_id: no two living processes have the same: they would run each other's steps once more.
            queues: whose workflows this process runs; it can put some into any.
            concurrency: workflows of one queue that run at the same time on this process.
            services: handed to schedules.
        """
        self._url = url
        self._executor_id = executor_id
        self._queues = list(queues)
        self._concurrency = concurrency
        self._services = services
        self._workflows: dict[str, Workflow] = {}
        self._client: DBOSClient | None = None
        self._known: dict[str, Queue] = {}
        self._following: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._named: set[str] = set()  # queues in which something may wait
        self._running = 0
        self._claimed: list[tuple[str, str]] = []  # workflow and claim; ours, and not begun yet

    _launched: ClassVar["Workflows | None"] = None

    def register(self, name: str, function: Workflow) -> None:
        """Make `function` known under the stored `name`. Only before `launch`."""
        if name in self._workflows:
            raise ValueError(f"workflow {name!r} is registered twice")
        self._workflows[name] = function

    async def launch(self, schedules: tuple[Schedule, ...] = ()) -> None:
        """Start, and continue the work that this executor left unfinished."""
        if Workflows._launched is not None:  # it would take the other's state away, and leave its runs hanging
            raise RuntimeError("this process has a workflow engine already: start a second server as a process")
        Workflows._launched = self
        for name in ("dbos", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        DBOS.destroy(destroy_registry=True)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._url.replace("postgresql://", "postgresql+psycopg://", 1),
            "sys_db_pool_size": CONNECTIONS,
            "application_version": APPLICATION_VERSION,
            "executor_id": self._executor_id,
            "dbos_system_schema": SCHEMA,
            "serializer": _JsonSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            "notification_coalesce_sec": MESSAGES_SECONDS,
        }
        self._dbos = DBOS(config=config)
        DBOS.listen_queues(self._queues)
        self._dbos._registry.get_internal_queue()._polling_interval_sec = OWN_POLL_SECONDS  # noqa: SLF001 - as below
        _workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC = LIMITS_SECONDS  # noqa: SLF001 - no public form in DBOS 3.4
        for name, function in self._workflows.items():
            DBOS.workflow(name=name, max_recovery_attempts=None)(self._as_function(function))
        actions = {schedule.name: schedule.action for schedule in schedules}

        @DBOS.workflow(name="roadbed.schedule")
        async def run_schedule(at: datetime, context: Any) -> None:
            action = actions.get(str(context))
            if action is None:
                log.warning("workflows.schedule_unknown", name=context, at=str(at))
                return
            with self._count_running():
                await action(self._services)

        DBOS.launch()  # blocks for about 0.7 s: workflows run on the event loop that launched, so not in a thread
        engine: Any = self._dbos
        engine._shared_executor_field = _LoopThreads(engine._executor)  # noqa: SLF001 - no public form in DBOS 3.4
        for queue, seconds in POLL_SECONDS.items():
            self._known[queue] = await DBOS.register_queue_async(
                queue, worker_concurrency=self._concurrency, polling_interval_sec=seconds, on_conflict="always_update"
            )
        self._client = await asyncio.to_thread(self._connect)
        await self._apply_schedules(schedules, run_schedule)
        if self._queues:
            self._following = asyncio.create_task(self._follow(), name="workflows: follow")

    def _as_function(self, workflow: Workflow) -> Workflow:
        async def run(**arguments: Any) -> Any:
            with self._count_running():
                return await workflow(**arguments)

        return run

    @contextlib.contextmanager
    def _count_running(self) -> Iterator[None]:
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    @property
    def is_launched(self) -> bool:
        return self._client is not None

    async def _apply_schedules(self, schedules: tuple[Schedule, ...], run_schedule: Any) -> None:
        for known in await DBOS.list_schedules_async():
            if known["schedule_name"] not in {schedule.name for schedule in schedules}:
                await DBOS.delete_schedule_async(known["schedule_name"])
        if schedules:
            await DBOS.apply_schedules_async(
                [
                    {
                        "schedule_name": schedule.name,
                        "workflow_fn": run_schedule,
                        "schedule": schedule.cron,
                        "context": schedule.name,
                        "queue_name": HOST_QUEUE if schedule.needs_host else SCHEDULE_QUEUE,
                    }
                    for schedule in schedules
                ]
            )

    def _connect(self) -> DBOSClient:
        return DBOSClient(
            system_database_url=self._url.replace("postgresql://", "postgresql+psycopg://", 1),
            dbos_system_schema=SCHEMA,
            serializer=_JsonSerializer(),
            system_database_pool_size=1,
            application_name=APPLICATION,
            lazy=True,
        )

    async def enqueue(
        self, session: WriteSession, *, workflow: str, workflow_id: str, arguments: dict[str, Any], queue: str = QUEUE
    ) -> None:
        """Have `workflow` run once this transaction is committed; the same `workflow_id` runs only once, ever."""
        client = self._client
        if client is None:
            raise RuntimeError("workflows are not launched yet")
        options: DbosEnqueueOptions = {
            "workflow_name": workflow,
            "queue_name": queue,
            "workflow_id": workflow_id,
            "app_version": APPLICATION_VERSION,
        }

        def insert(sync_session: Session) -> None:
            client.enqueue_in_transaction(sync_session, options, **arguments)

        await session.run_sync(insert)
        await session.execute(select(func.pg_notify(CHANNEL, queue)))

    async def _follow(self) -> None:
        """Begin what is enqueued as soon as it is committed, by whichever process, until cancelled."""
        listening = asyncio.create_task(
            listen(self._services.get(Database), CHANNEL, self._wake), name="workflows: listen"
        )
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    is_left = self._named or self._claimed
                    await asyncio.wait_for(self._woken.wait(), BUSY_SECONDS if is_left else None)
                self._woken.clear()
                await attempt(self._begin_waiting, "workflows.begin_failed")
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    def _wake(self, queue: str) -> None:
        """Look into a queue, or into all after a (re)connection, which names none."""
        self._named |= {queue} & set(self._queues) if queue else set(self._queues)
        self._woken.set()

    async def _begin_waiting(self) -> None:
        """Take what waits in the named queues, as DBOS's own looks do; a queue is named until this process has room."""
        system = self._dbos._sys_db  # noqa: SLF001 - no public form in DBOS 3.4
        for queue in sorted(self._named):
            self._named.discard(queue)  # before looking: it may be named again meanwhile
            running = self._dbos._active_workflows_set.count_for_queue(queue)  # noqa: SLF001 - as above
            claim = str(uuid4())
            claimed, _ = await asyncio.to_thread(
                system.start_queued_workflows,
                self._known[queue],
                self._executor_id,
                APPLICATION_VERSION,
                None,
                running,
                owner_xid=claim,
            )
            self._claimed += [(workflow, claim) for workflow in claimed]
            if running + len(claimed) >= self._concurrency:
                self._named.add(queue)
        while self._claimed:
            workflow, claim = self._claimed[0]
            status = await asyncio.to_thread(system.get_workflow_status, workflow)
            self._claimed.pop(0)
            if status is not None:  # else someone took it out of the table
                await asyncio.to_thread(execute_dequeued_workflow, self._dbos, status, claim)

    async def step(self, name: str, function: Callable[[], Awaitable[Any]]) -> Any:
        """Run `function` inside a workflow and record its JSON result; a recorded result is returned instead."""

        async def call() -> Any:
            return await function()

        return await DBOS.run_step_async({"name": name, "retries_allowed": False}, call)

    async def recover(self, executor_ids: list[str]) -> None:
        """Put the unfinished work of processes that are gone back into its queues."""
        await asyncio.to_thread(DBOS._recover_pending_workflows, executor_ids)  # noqa: SLF001 - no public form in DBOS 3.4
        self._wake("")

    async def list_broken(self, workflow_ids: list[str]) -> list[str]:
        """Return those of these workflows that ended with an error, and so will not go on by themselves."""
        if not workflow_ids:
            return []
        broken = await DBOS.list_workflows_async(
            workflow_ids=workflow_ids,
            status=["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            load_input=False,
            load_output=False,
        )
        return [workflow.workflow_id for workflow in broken]

    async def purge(self) -> None:
        """Forget workflows that finished long ago; runs and their steps stay."""
        cutoff = int((now() - KEEP_FINISHED).timestamp() * 1000)
        ended = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            end_time=datetime.fromtimestamp(cutoff / 1000).astimezone().isoformat(),
            limit=5000,
            load_input=False,
            load_output=False,
        )
        await DBOS.delete_workflows_async([workflow.workflow_id for workflow in ended])

    async def count_queued(self) -> int:
        """Return how many workflows wait for a worker, counted up to 1,000."""
        waiting = await DBOS.list_queued_workflows_async(
            queue_name=list(POLL_SECONDS), status="ENQUEUED", limit=1000, load_input=False
        )
        return len(waiting)

    async def check(self) -> None:
        """Raise when the engine cannot reach its tables."""
        if self._client is None:
            raise RuntimeError("workflows are not launched yet")
        await self._client.check_connection_async()

    async def close(self, *, wait_seconds: int) -> None:
        """Stop taking work and wait for running steps; what is cut off is continued at the next start."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        wait_seconds = wait_seconds if self._running else 0  # DBOS waits for a second before it looks whether any do
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=wait_seconds)
        if self._client is not None:  # last, as a step that ends now may enqueue another workflow
            await asyncio.to_thread(self._client.destroy)
            self._client = None
        if Workflows._launched is self:
            Workflows._launched = None


@event.listens_for(Engine, "handle_error")
def _outlast_refused_connections(context: ExceptionContext) -> None:
    """Have DBOS try again when PostgreSQL refuses connections while it is restarted.

    DBOS knows that by words of the driver ("connection failed") which newer drivers do not use for a refused connection
    ("connection is bad"), and would end the workflow with an error. It also tries again on lost connections.
    """
    if context.connection is None and isinstance(context.original_exception, psycopg.OperationalError):
        context.is_disconnect = True
