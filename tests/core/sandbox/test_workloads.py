"""Commands that outlive the server."""

import asyncio
import json
import os
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

import pytest

from roadbed.core.sandbox import (
    Isolation,
    ProcessIdentity,
    Sandbox,
    SandboxSpec,
)
from roadbed.core.sandbox.processes import start_token
from tests.core.sandbox.support import make_folder, processes_with, sh, until

pytestmark = pytest.mark.anyio


async def test_workload_outlives_its_server_and_is_found_again(sandbox: Sandbox, place: Path, workspace: Path) -> None:
    log = place / "log"
    workload = await sandbox.start(
        ["sh", "-c", "echo up; while :; do date >> ticks; sleep 0.05; done"], spec=SandboxSpec(workspace), log_path=log
    )
    await until(lambda: log.read_text() == "up\n" and (workspace / "ticks").exists())
    await workload.leave()
    kept = ProcessIdentity.from_data(workload.identity.to_data())
    later = Sandbox(sandbox.isolation, scope="later")
    adopted = await later.adopt(kept, workspace=workspace)
    assert adopted is not None
    assert adopted.is_running
    before = (workspace / "ticks").stat().st_size
    await until(lambda: (workspace / "ticks").stat().st_size > before)
    assert await adopted.stop(grace_seconds=5) is None
    assert not kept.is_alive()
    assert await later.adopt(kept, workspace=workspace) is None


async def test_workload_ends_with_its_exit_code_and_leaves_nothing(
    sandbox: Sandbox, place: Path, workspace: Path
) -> None:
    mark = f"300.{uuid4().int % 10**9}"
    workload = await sandbox.start(
        ["sh", "-c", f"setsid sleep {mark} & exit 7"], spec=SandboxSpec(workspace), log_path=place / "log"
    )
    assert await workload.wait() == 7
    assert not workload.is_running
    await until(lambda: not processes_with(mark))


async def test_workload_is_asked_to_end_before_it_is_killed(sandbox: Sandbox, place: Path, workspace: Path) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    log = place / "log"
    workload = await sandbox.start(["sh", "-c", script], spec=SandboxSpec(workspace), log_path=log)
    await until(lambda: log.read_text() == "up\n")
    await workload.stop(grace_seconds=10)
    assert log.read_text().splitlines()[-1] == "bye"


async def test_log_of_a_workload_may_be_truncated_while_it_runs(sandbox: Sandbox, place: Path, workspace: Path) -> None:
    log = place / "log"
    script = "echo one; until test -e go; do sleep 0.02; done; echo two; sleep 300"
    workload = await sandbox.start(["sh", "-c", script], spec=SandboxSpec(workspace), log_path=log)
    await until(lambda: log.read_text() == "one\n")
    os.truncate(log, 0)
    (workspace / "go").touch()
    await until(lambda: log.read_text() == "two\n")
    await workload.stop(grace_seconds=0)


async def test_another_process_with_the_same_pid_is_not_adopted(sandbox: Sandbox, workspace: Path) -> None:
    stranger = ProcessIdentity(os.getpid(), "an-earlier-boot/17", sandbox.isolation.mechanism, None, "x.y")
    assert await sandbox.adopt(stranger, workspace=workspace) is None
    assert start_token(os.getpid())


SERVER = """
import asyncio, json, sys
from pathlib import Path
from roadbed.core.sandbox import Mechanism, Sandbox, SandboxSpec, detect_isolation

async def main():
    sandbox = Sandbox(detect_isolation(wanted=Mechanism(sys.argv[1])), scope=sys.argv[2])
    place, mark = Path(sys.argv[3]), sys.argv[4]
    spec = SandboxSpec(place / "workload")
    workload = await sandbox.start(["sleep", mark + "1"], spec=spec, log_path=place / "log")
    print(json.dumps(workload.identity.to_data()), flush=True)
    command = ["sh", "-c", f"setsid sleep {mark}2 & touch up; sleep {mark}3"]
    await sandbox.run(command, spec=SandboxSpec(place / "job"))

asyncio.run(main())
"""


async def test_after_kill_9_of_the_server_jobs_are_swept_and_workloads_adopted(
    isolation: Isolation, place: Path
) -> None:
    mark, scope = f"300.{uuid4().int % 10**9}", f"killed-{uuid4().hex}"
    for name in ("workload", "job"):
        make_folder(place / name)
    arguments = [isolation.mechanism.value, scope, str(place), mark]
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(SERVER), *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    identity = ProcessIdentity.from_data(json.loads(await server.stdout.readline()))
    await until(lambda: (place / "job" / "up").exists() and processes_with(f"{mark}2") and processes_with(f"{mark}3"))
    server.kill()
    await server.wait()
    later = Sandbox(isolation, scope=scope)
    adopted = await later.adopt(identity, workspace=place / "workload")
    assert adopted is not None
    later.sweep()
    await until(lambda: not processes_with(f"{mark}2") and not processes_with(f"{mark}3"))
    assert processes_with(f"{mark}1")
    await adopted.stop(grace_seconds=0)
    await until(lambda: not processes_with(mark))
    assert (await sh(later, "ls", SandboxSpec(place / "job")))[1] == "up\n"
