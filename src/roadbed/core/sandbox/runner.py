"""Running commands in sandboxes: to their end with `run`, as workloads with `start` and `adopt`."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from roadbed.core.sandbox.arguments import Placement, account_files, build_arguments, build_environment
from roadbed.core.sandbox.isolation import Isolation
from roadbed.core.sandbox.output import OnOutput, OutputPump, ReadEnd, StatusReport, open_pipe
from roadbed.core.sandbox.processes import (
    ProcessIdentity,
    ask_to_end,
    end_account,
    end_all,
    end_marked,
    look_for_marked,
    reap,
    spawn,
    start_token,
    wait_until_ended,
)
from roadbed.core.sandbox.spec import Outcome, SandboxFailed, SandboxSpec
from roadbed.core.sandbox.workspaces import Claim, Workspaces
from roadbed.kit.ids import new_id

_GRACE_SECONDS = 2.0
_LAST_OUTPUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Launched:
    """A started command: the child of this server, and the process that stands for all of it."""

    child_pid: int
    identity: ProcessIdentity
    status: StatusReport | None


@dataclass(frozen=True, slots=True)
class MarkedProcess:
    """A process of a sandbox of this installation. `workspace` is None for one that does not run here now."""

    pid: int
    cookie: str
    workspace: Path | None


class Sandbox:
    """Runs untrusted commands on this machine.

    Args:
        isolation: from `detect_isolation`.
        hidden: folders that no command may see even where a folder above them is shown: Roadbed's home.
        scope: a short name of this installation, so that `sweep` ends nothing of another one.
    """

    def __init__(self, isolation: Isolation, *, hidden: tuple[Path, ...] = (), scope: str = "roadbed") -> None:
        self.isolation = isolation
        self._hidden = tuple(folder.resolve() for folder in hidden)
        self._scope = scope
        self._workspaces = Workspaces(isolation, holder=scope)
        self._claiming = asyncio.Lock()
        self._cookies: dict[str, Path] = {}

    @contextlib.asynccontextmanager
    async def claim(self, workspace: Path) -> AsyncIterator[None]:
        """Keep one account for all commands that run in a workspace, as for the stages of a pipeline.

        Without it each `run` claims the workspace anew, which changes the owner of all files in it.
        """
        claim = await self._claim(workspace)
        try:
            yield
        finally:
            self._workspaces.release(claim)

    async def run(self, command: Sequence[str], *, spec: SandboxSpec, on_output: OnOutput | None = None) -> Outcome:
        """Run a command to its end; nothing that it started is left afterwards.

        Args:
            command: the program and its arguments; a program that is not found ends with exit code 127.
            spec: what it is given.
            on_output: is awaited with each piece of standard output and error, in order.

        Raises:
            SandboxFailed: the sandbox could not be set up.
        """
        started = time.monotonic()
        claim = await self._claim(spec.workspace)
        try:
            pump = OutputPump(spec.limits.output_bytes, on_output)
            output, output_fd = await open_pipe()
            try:
                launched = await self._launch(command, spec=spec, claim=claim, output_fd=output_fd)
            except BaseException:
                output.close()
                raise
            finally:
                os.close(output_fd)
            code, is_timed_out = await self._attend(launched, claim, pump=pump, output=output, spec=spec)
        finally:
            self._workspaces.release(claim)
        return Outcome(
            exit_code=code,
            is_timed_out=is_timed_out,
            is_isolated=self.isolation.is_isolated,
            output_bytes=pump.output_bytes,
            dropped_bytes=pump.dropped_bytes,
            duration_seconds=time.monotonic() - started,
        )

    async def start(self, command: Sequence[str], *, spec: SandboxSpec, log_path: Path) -> "Workload":
        """Start a command that goes on when the server ends; `adopt` finds it again.

        Args:
            command: the program and its arguments.
            spec: what it is given; its limits of time and output do not apply.
            log_path: the file its output is appended to. It may be copied and truncated at any time.
        """
        claim = await self._claim(spec.workspace)
        try:
            output_fd = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                launched = await self._launch(
                    command, spec=spec, claim=claim, output_fd=output_fd, dies_with_server=False
                )
            finally:
                os.close(output_fd)
        except BaseException:
            self._workspaces.release(claim)
            raise
        return Workload(self, claim, launched.identity, child_pid=launched.child_pid)

    async def adopt(self, identity: ProcessIdentity, *, workspace: Path) -> "Workload | None":
        """Take charge of a workload that an earlier server started; None when it has ended."""
        if not identity.is_alive():
            end_all(identity, self.isolation)
            return None
        claim = await self._claim(workspace, uid=identity.uid)
        self._cookies[identity.cookie] = workspace.resolve()
        return Workload(self, claim, identity, child_pid=None)

    def sweep(self) -> int:
        """End what an earlier server of this installation left running, and return how many processes carried a mark.

        Workloads that shall go on are adopted before.
        """
        left = [it.cookie for it in self.list_processes() if it.workspace is None]
        for cookie in set(left):
            end_marked(cookie)
        self._workspaces.end_left(partial(end_account, setpriv=self.isolation.setpriv))  # also what lost its mark
        return len(left)

    def list_processes(self) -> list[MarkedProcess]:
        """List the processes of this installation's sandboxes."""
        return [
            MarkedProcess(pid, cookie, self._cookies.get(cookie))
            for pid, cookie in look_for_marked().cookies.items()
            if cookie.startswith(f"{self._scope}.")
        ]

    async def _claim(self, workspace: Path, *, uid: int | None = None) -> Claim:
        async with self._claiming:
            claim = self._workspaces.claim(workspace.resolve(), uid=uid)
            if claim.user_count == 1 and uid is None:
                try:
                    await asyncio.to_thread(self._workspaces.prepare, claim)
                except BaseException:
                    self._workspaces.release(claim)
                    raise
        return claim

    async def _launch(
        self,
        command: Sequence[str],
        *,
        spec: SandboxSpec,
        claim: Claim,
        output_fd: int,
        dies_with_server: bool = True,
    ) -> _Launched:
        spec = replace(spec, workspace=claim.workspace)
        if spec.is_offline and not self.isolation.mechanism.has_namespace:
            raise SandboxFailed(
                "This machine cannot keep a command from the network.", hint="Install bubblewrap on the server."
            )
        cookie = f"{self._scope}.{new_id().hex}"
        mechanism = self.isolation.mechanism
        with contextlib.ExitStack() as descriptors:
            status, status_fd = await self._open_status(descriptors)
            placement = Placement(
                isolation=self.isolation,
                uid=claim.uid or 0,
                temporary=claim.temporary,
                hidden=self._hidden,
                dies_with_server=dies_with_server,
                status_fd=status_fd,
            )
            account_fds = _account_fds(claim, descriptors) if mechanism.has_namespace else ()
            arguments = build_arguments(command, spec=spec, placement=placement, account_fds=account_fds)
            if claim.uid is not None:
                os.fchown(output_fd, claim.uid, claim.uid)  # or /dev/stdout could not be opened
            self._cookies[cookie] = spec.workspace
            pid = spawn(
                arguments,
                environment=build_environment(spec, placement, cookie=cookie),
                output_fd=output_fd,
                pass_fds=[status_fd, *account_fds] if status else [],
            )
        first_pid = await status.read_first_pid() if status else pid
        token = start_token(first_pid) if first_pid else None
        identity = ProcessIdentity(first_pid or pid, token or "ended", mechanism, claim.uid, cookie)
        return _Launched(pid, identity, status)

    async def _open_status(self, descriptors: contextlib.ExitStack) -> tuple[StatusReport | None, int]:
        if not self.isolation.mechanism.has_namespace:
            return None, -1
        source, status_fd = await open_pipe()
        descriptors.callback(os.close, status_fd)
        return StatusReport(source), status_fd

    async def _attend(
        self, launched: _Launched, claim: Claim, *, pump: OutputPump, output: ReadEnd, spec: SandboxSpec
    ) -> tuple[int, bool]:
        """See a command to its end; return its exit code and whether its time was up."""
        pumping = asyncio.create_task(pump.run(output))
        finishing = asyncio.create_task(self._finish(launched, claim, output=output))
        is_timed_out = False
        try:
            await asyncio.wait(
                {pumping, finishing}, timeout=spec.limits.wall_seconds, return_when=asyncio.FIRST_EXCEPTION
            )
            is_timed_out = not finishing.done() and not (pumping.done() and pumping.exception())
            if is_timed_out:
                ask_to_end(launched.identity)
                await asyncio.wait({finishing}, timeout=_GRACE_SECONDS)
        finally:
            was_ended = not finishing.done()
            if was_ended:  # its time is up, the caller is cancelled, or nobody takes the output
                end_all(launched.identity, self.isolation, is_sole_user=claim.user_count == 1)
            code, was_started = await asyncio.shield(finishing)
            await asyncio.shield(pumping)
        if not was_started and not was_ended and not is_timed_out:
            reason = pump.head.decode(errors="replace").strip() or "bubblewrap gave no reason"
            raise SandboxFailed(f"The sandbox could not be set up: {reason}", hint="Check that these folders exist.")
        return code, is_timed_out

    async def _finish(self, launched: _Launched, claim: Claim, *, output: ReadEnd) -> tuple[int, bool]:
        """Wait for a command, end what it left, and return its exit code and whether it had been started."""
        code = await reap(launched.child_pid)
        end_all(launched.identity, self.isolation, is_sole_user=claim.user_count == 1)
        self._cookies.pop(launched.identity.cookie, None)
        # Without isolation a process may have got away and still hold the pipe.
        asyncio.get_running_loop().call_later(_LAST_OUTPUT_SECONDS, output.close)
        was_started = await launched.status.read_end() if launched.status else True
        return code, was_started


class Workload:
    """A command that goes on without the server."""

    def __init__(self, sandbox: Sandbox, claim: Claim, identity: ProcessIdentity, *, child_pid: int | None) -> None:
        self.identity = identity
        self._sandbox = sandbox
        self._claim = claim
        self._child_pid = child_pid
        self._watching = asyncio.create_task(self._watch())

    @property
    def is_isolated(self) -> bool:
        """False when it could read what the server can."""
        return self._sandbox.isolation.is_isolated

    @property
    def is_running(self) -> bool:
        """True until it has ended and been cleared away."""
        return not self._watching.done()

    async def wait(self) -> int | None:
        """Return its exit code once it has ended; None when an earlier server had started it."""
        return await asyncio.shield(self._watching)

    async def stop(self, *, grace_seconds: float = 10.0) -> int | None:
        """Ask it to end, end it after the grace time, and return its exit code if that is known."""
        ask_to_end(self.identity)
        done, _ = await asyncio.wait({self._watching}, timeout=grace_seconds)
        if not done:
            end_all(self.identity, self._sandbox.isolation)
        return await self.wait()

    async def leave(self) -> None:
        """Stop watching and let it run on: the server is about to end."""
        if self._watching.done():
            return
        self._watching.cancel()
        await asyncio.wait({self._watching})
        self._sandbox._workspaces.forget(self._claim)  # noqa: SLF001 - two classes of one module

    async def _watch(self) -> int | None:
        code: int | None = None
        if self._child_pid is not None:
            code = await reap(self._child_pid)
        else:
            await wait_until_ended(self.identity.pid)
        end_all(self.identity, self._sandbox.isolation)
        self._sandbox._cookies.pop(self.identity.cookie, None)  # noqa: SLF001
        self._sandbox._workspaces.release(self._claim)  # noqa: SLF001
        return code


def _account_fds(claim: Claim, descriptors: contextlib.ExitStack) -> tuple[int, ...]:
    """Open passwd and group files in memory that know the account of the sandbox."""
    if claim.uid is None:
        return ()
    opened: list[int] = []
    for content in account_files(claim.uid, claim.workspace):
        descriptor = os.memfd_create("account")
        descriptors.callback(os.close, descriptor)
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        opened.append(descriptor)
    return tuple(opened)
