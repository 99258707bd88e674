"""Keeping the processes of workloads running: one supervisor an instance."""

import asyncio
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import UUID

import structlog

from roadbed.core.errors import RoadbedError
from roadbed.core.sandbox import (
    Limits,
    ProcessIdentity,
    Sandbox,
    SandboxFailed,
    SandboxSpec,
    Workload,
    find_interpreter,
)
from roadbed.environments.service.runtime.logs import InstanceLog

log = structlog.get_logger(__name__)

STOP_GRACE_SECONDS = 10.0
FIRST_BACKOFF_SECONDS = 1.0
LAST_BACKOFF_SECONDS = 60.0
STEADY_SECONDS = 30.0
ROTATE_SECONDS = 1.0
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Launch:
    """How an instance starts now. `environment` holds resolved secrets: it is never kept."""

    label: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path


@dataclass(frozen=True)
class Ended:
    """How a process of an instance ended, and when the next one starts. `error`: it could not be started at all."""

    exit_code: int | None
    restarts: int
    error: str | None


class Journal(Protocol):
    """Where the runtime reads what to start, and writes what became of it."""

    async def prepare(self, instance_id: UUID) -> Launch | None:
        """Return how to start an instance; None when it is not wanted any more."""

    async def note_started(self, instance_id: UUID, identity: ProcessIdentity, *, is_isolated: bool) -> None: ...

    async def note_ended(self, instance_id: UUID, ended: Ended) -> None: ...

    async def note_stopped(self, instance_id: UUID) -> None: ...


class Supervisor:
    """Starts one instance, and starts it again when it ends, until it is told to stop."""

    def __init__(self, runtime: "ProcessRuntime", instance_id: UUID, *, adopted: Workload | None) -> None:
        self.instance_id = instance_id
        self.restarts = 0
        self.last_exit: int | None = None
        self.last_error: str | None = None
        self._runtime = runtime
        self._workload = adopted
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()
        self._is_restarting = False
        self.task = asyncio.create_task(self._keep(), name=f"environments: instance {instance_id}")

    @property
    def pid(self) -> int | None:
        return self._workload.identity.pid if self._workload and self._workload.is_running else None

    @property
    def last_words(self) -> str:
        """What became of the last process: `it ended with exit code 1`."""
        return _describe(self.last_exit, self.last_error)

    async def stop(self) -> None:
        """End the process and keep it ended."""
        self._stopping.set()
        self._woken.set()
        if self._workload is not None:
            await self._workload.stop(grace_seconds=STOP_GRACE_SECONDS)
        await asyncio.wait({self.task})

    async def restart(self) -> None:
        """End the process; another one is started at once, also when the last ones did not stay up."""
        self._is_restarting, self.restarts = True, 0
        self._woken.set()
        if self._workload is not None:
            await self._workload.stop(grace_seconds=STOP_GRACE_SECONDS)

    async def _keep(self) -> None:
        try:
            await self._keep_running()
        finally:
            if self._workload is not None:  # the journal cannot be written: nobody would know of this process
                await self._workload.stop(grace_seconds=STOP_GRACE_SECONDS)

    async def _keep_running(self) -> None:
        backoff = FIRST_BACKOFF_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            if self._workload is None and not await self._start():
                return
            if self._workload is not None:
                self.last_exit = await self._workload.wait()
                self._workload = None
            if self._stopping.is_set():
                break
            if self._is_restarting or time.monotonic() - began >= STEADY_SECONDS:
                backoff = FIRST_BACKOFF_SECONDS
            if not self._is_restarting:
                await self._wait_after_end(backoff)
                backoff = min(backoff * 2, LAST_BACKOFF_SECONDS)

    async def _wait_after_end(self, seconds: float) -> None:
        """Say that the process ended by itself, and wait before the next one, unless somebody asks for it."""
        self.restarts += 1
        self._runtime.log_of(self.instance_id).say(f"{self.last_words}; it is started again in {seconds:.0f} s")
        await self._runtime.journal.note_ended(self.instance_id, Ended(self.last_exit, self.restarts, self.last_error))
        await _wait_for(self._woken, seconds)

    async def _start(self) -> bool:
        """Start a process; False when the instance is not wanted any more. What goes wrong is tried again."""
        self.last_exit, self.last_error = None, None
        self._is_restarting = False
        if not self._stopping.is_set():
            self._woken.clear()
        try:
            launch = await self._runtime.journal.prepare(self.instance_id)
            if launch is None or self._stopping.is_set():
                return launch is not None
            self._workload = await self._runtime.launch(self.instance_id, launch)
        except RoadbedError as error:
            self.last_error = error.message
            log.warning("environments.start_failed", instance=str(self.instance_id), error=error.message)
            return True
        await self._runtime.journal.note_started(
            self.instance_id, self._workload.identity, is_isolated=self._workload.is_isolated
        )
        if self._stopping.is_set():
            await self._workload.stop(grace_seconds=STOP_GRACE_SECONDS)
        return True


class ProcessRuntime:
    """All instances that run on this machine.

    Args:
        sandbox: what they run in.
        journal: what to start, and what became of it.
        folder: for workspaces and logs.
        quota_bytes: of the log of an instance.
    """

    def __init__(self, sandbox: Sandbox, journal: Journal, *, folder: Path, quota_bytes: int) -> None:
        self.sandbox = sandbox
        self.journal = journal
        self._folder = folder
        self._quota = quota_bytes
        self.is_closing = False
        self._supervisors: dict[UUID, Supervisor] = {}
        self.artifacts = folder / "artifacts"
        self.changing_artifacts = asyncio.Lock()  # held while one is unpacked for an instance, or some are removed
        self._tools = folder / "bin"
        for part in (folder, self._tools, self.artifacts, folder / "instances"):
            part.mkdir(mode=0o711, parents=True, exist_ok=True)
            part.chmod(0o711)
        self._tools.chmod(0o755)
        self._python = find_interpreter(sandbox.isolation)
        self._link_python()
        self._rotating = asyncio.create_task(self._rotate(), name="environments: log rotation")

    def _link_python(self) -> None:
        """Offer the Python that artifacts are built for as `python`, whatever the system has under this name."""
        for name in ("python", "python3"):
            link = self._tools / name
            link.unlink(missing_ok=True)
            if self._python is not None:
                link.symlink_to(self._python.program)

    def list_folders(self) -> list[str]:
        """List what is in the folder of instances, by name: the instances' ids, and what somebody put there."""
        return sorted(folder.name for folder in (self._folder / "instances").iterdir())

    def list_unpacked(self) -> set[str]:
        """List the artifacts that are unpacked, by the names of their folders."""
        return {folder.name for folder in self.artifacts.iterdir() if not folder.name.startswith(".")}

    def workspace_of(self, instance_id: UUID) -> Path:
        return self._folder / "instances" / str(instance_id) / "work"

    def log_of(self, instance_id: UUID) -> InstanceLog:
        return InstanceLog(self._folder / "instances" / str(instance_id) / "log", quota_bytes=self._quota)

    def find(self, instance_id: UUID) -> Supervisor | None:
        return self._supervisors.get(instance_id)

    @staticmethod
    def artifact_name(digest: str) -> str:
        return digest.replace(":", "-")

    def artifact_folder(self, digest: str) -> Path:
        """Return where an artifact is unpacked."""
        return self.artifacts / self.artifact_name(digest)

    async def launch(self, instance_id: UUID, launch: Launch) -> Workload:
        """Start the process of an instance.

        Raises:
            SandboxFailed.
        """
        workspace = self.workspace_of(instance_id)
        workspace.parent.mkdir(mode=0o711, exist_ok=True)
        workspace.parent.chmod(0o711)
        workspace.mkdir(mode=0o700, exist_ok=True)
        readable = [launch.folder, self._tools]
        if self._python is not None:
            readable.append(self._python.folder)
        spec = SandboxSpec(
            workspace,
            environment={"PATH": f"{self._tools}:{_SYSTEM_PATH}", **launch.environment},
            readable=tuple(readable),
            directory=launch.folder,
            limits=Limits(wall_seconds=None),
        )
        instance_log = self.log_of(instance_id)
        instance_log.say(f"starting {launch.label}")
        return await self.sandbox.start(launch.command, spec=spec, log_path=instance_log.open())

    def supervise(self, instance_id: UUID, *, adopted: Workload | None = None) -> Supervisor:
        """Keep an instance running from now on; nothing happens when it is kept already."""
        found = self._supervisors.get(instance_id)
        if found is None:
            found = self._supervisors[instance_id] = Supervisor(self, instance_id, adopted=adopted)
            found.task.add_done_callback(partial(self._let_go, found))
        return found

    def _let_go(self, supervisor: Supervisor, task: "asyncio.Task[None]") -> None:
        if self._supervisors.get(supervisor.instance_id) is supervisor:
            del self._supervisors[supervisor.instance_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("environments.supervisor_failed", exc_info=task.exception())

    async def adopt(self, identities: Mapping[UUID, ProcessIdentity]) -> set[UUID]:
        """Take charge of the processes that an earlier server left, and end everything else it left.

        Returns those that still ran.
        """
        adopted: set[UUID] = set()
        for instance_id, identity in identities.items():
            try:
                workload = await self.sandbox.adopt(identity, workspace=self.workspace_of(instance_id))
            except SandboxFailed as error:
                log.warning("environments.not_adopted", instance=str(instance_id), error=error.message)
                continue
            if workload is not None:
                adopted.add(instance_id)
                self.supervise(instance_id, adopted=workload)
        swept = await asyncio.to_thread(self.sandbox.sweep)
        log.info("environments.adopted", count=len(adopted), swept_processes=swept)
        return adopted

    async def stop(self, instance_id: UUID) -> None:
        """End an instance: SIGTERM, and SIGKILL after the grace time."""
        supervisor = self._supervisors.get(instance_id)
        if supervisor is not None:
            await supervisor.stop()
            self.log_of(instance_id).say("stopped")
        await self.journal.note_stopped(instance_id)

    def forget(self, instance_id: UUID) -> None:
        """Delete the workspace and the log of an instance that is stopped."""
        shutil.rmtree(self.workspace_of(instance_id).parent, ignore_errors=True)

    async def close(self) -> None:
        """End all processes, because the server ends. They stay wanted."""
        self.is_closing = True
        self._rotating.cancel()
        instances = list(self._supervisors)
        await asyncio.gather(*(self.stop(instance_id) for instance_id in instances))

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(ROTATE_SECONDS)
            for instance_id in list(self._supervisors):
                try:
                    await asyncio.to_thread(self.log_of(instance_id).rotate)
                except OSError as error:
                    log.warning("environments.log_not_rotated", instance=str(instance_id), error=str(error))


def _describe(exit_code: int | None, error: str | None) -> str:
    if error is not None:
        return f"it could not be started: {error}"
    return "it ended" if exit_code is None else f"it ended with exit code {exit_code}"


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
