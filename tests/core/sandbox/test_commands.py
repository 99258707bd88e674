"""Running commands: what they get, how they end, what they may use."""

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

import pytest

from roadbed.core.sandbox import (
    Limits,
    Sandbox,
    SandboxFailed,
    SandboxSpec,
)
from tests.core.sandbox.support import make_folder, processes_with, sh, until

pytestmark = pytest.mark.anyio


async def test_command_runs_in_its_workspace_and_its_exit_code_comes_back(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / "given").write_text("hello")
    outcome, output = await sh(sandbox, "cat given; pwd; echo made > made; exit 3", SandboxSpec(workspace))
    assert output == f"hello{workspace}\n"
    assert (outcome.exit_code, outcome.is_timed_out, outcome.is_isolated) == (3, False, True)
    assert not outcome.is_success
    assert (workspace / "made").read_text() == "made\n"


async def test_children_in_the_background_are_gone_afterwards(sandbox: Sandbox, workspace: Path) -> None:
    mark = f"300.{uuid4().int % 10**9}"
    script = f"(setsid nohup sleep {mark} >/dev/null 2>&1 &); sleep {mark} & env -i setsid sleep {mark} & exit 0"
    outcome, _ = await sh(sandbox, script, SandboxSpec(workspace))
    assert outcome.is_success
    await until(lambda: not processes_with(mark))


async def test_time_limit_ends_the_whole_tree(sandbox: Sandbox, workspace: Path) -> None:
    mark = f"300.{uuid4().int % 10**9}"
    spec = SandboxSpec(workspace, limits=Limits(wall_seconds=0.3))
    outcome, output = await sh(sandbox, f"setsid sleep {mark} & echo started; sleep {mark}", spec)
    assert outcome.is_timed_out
    assert output.startswith("started\n")
    assert outcome.duration_seconds < 2
    await until(lambda: not processes_with(mark))


async def test_command_that_ignores_the_request_to_end_is_killed(sandbox: Sandbox, workspace: Path) -> None:
    spec = SandboxSpec(workspace, limits=Limits(wall_seconds=0.2))
    outcome, _ = await sh(sandbox, "trap '' TERM; while :; do sleep 0.1; done", spec)
    assert outcome.is_timed_out
    assert outcome.exit_code == 128 + signal.SIGKILL
    assert outcome.duration_seconds < 8


async def test_cancelling_kills_at_once(sandbox: Sandbox, workspace: Path) -> None:
    mark = f"300.{uuid4().int % 10**9}"
    running = asyncio.create_task(sh(sandbox, f"trap '' TERM; touch up; sleep {mark}", SandboxSpec(workspace)))
    await until((workspace / "up").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: not processes_with(mark))
    assert (await sh(sandbox, "echo again", SandboxSpec(workspace)))[1] == "again\n"


async def test_output_over_the_limit_is_dropped_and_counted(sandbox: Sandbox, workspace: Path) -> None:
    spec = SandboxSpec(workspace, limits=Limits(output_bytes=1000))
    outcome, output = await sh(sandbox, "head -c 250000 /dev/zero | tr '\\0' x", spec)
    assert len(output) == outcome.output_bytes == 1000
    assert outcome.dropped_bytes == 249_000
    assert outcome.is_success


async def test_failing_reader_of_the_output_ends_the_command(sandbox: Sandbox, workspace: Path) -> None:
    async def fail(piece: bytes) -> None:
        raise OSError("the disk is full")

    mark = f"300.{uuid4().int % 10**9}"
    with pytest.raises(OSError, match="the disk is full"):
        await sandbox.run(["sh", "-c", f"echo x; sleep {mark}"], spec=SandboxSpec(workspace), on_output=fail)
    assert not processes_with(mark)


@pytest.mark.parametrize(
    ("limits", "script", "sign"),
    [
        (Limits(open_file_count=20), "ulimit -n", "20\n"),
        (Limits(cpu_seconds=1), "while :; do :; done", ""),
        (Limits(file_bytes=10_240), "head -c 1000000 /dev/zero > big; stat -c %s big", "10240\n"),
        (
            Limits(address_space_bytes=60_000_000),
            "head -c 200000000 /dev/zero | tail -c 150000000 >/dev/null; echo $?",
            "memory",
        ),
        (Limits(process_count=12), "i=0; while [ $i -lt 50 ]; do sleep 9 & i=$((i+1)); done", "fork"),
    ],
)
async def test_resource_limit_holds(sandbox: Sandbox, workspace: Path, limits: Limits, script: str, sign: str) -> None:
    outcome, output = await sh(sandbox, script, SandboxSpec(workspace, limits=limits))
    assert sign in output.lower()
    assert not outcome.is_timed_out
    assert sign or outcome.exit_code == 128 + signal.SIGXCPU or outcome.exit_code == 128 + signal.SIGKILL


async def test_program_that_does_not_exist_ends_with_127(sandbox: Sandbox, workspace: Path) -> None:
    outcome = await sandbox.run(["no-such-program"], spec=SandboxSpec(workspace))
    assert outcome.exit_code == 127


async def test_standard_output_can_be_opened_by_name(sandbox: Sandbox, workspace: Path) -> None:
    _, output = await sh(sandbox, "echo one >> /dev/stdout; echo two >> /dev/stderr", SandboxSpec(workspace))
    assert output == "one\ntwo\n"


async def test_directory_inside_the_workspace_is_where_the_command_starts(sandbox: Sandbox, workspace: Path) -> None:
    make_folder(workspace / "service")
    _, output = await sh(sandbox, "pwd", SandboxSpec(workspace, directory=workspace / "service"))
    assert output == f"{workspace}/service\n"


async def test_workspace_that_is_missing_is_named(sandbox: Sandbox, place: Path) -> None:
    with pytest.raises(SandboxFailed, match="nowhere does not exist"):
        await sandbox.run(["true"], spec=SandboxSpec(place / "nowhere"))


async def test_commands_of_one_claim_share_an_account(sandbox: Sandbox, workspace: Path) -> None:
    async with sandbox.claim(workspace):
        _, first = await sh(sandbox, "id -u; echo data > data; chmod 600 data", SandboxSpec(workspace))
        together = await asyncio.gather(*(sh(sandbox, "id -u; cat data", SandboxSpec(workspace)) for _ in range(3)))
    assert {output for _, output in together} == {f"{first}data\n"}


async def test_missing_readable_folder_is_named(sandbox: Sandbox, workspace: Path) -> None:
    if not sandbox.isolation.mechanism.has_namespace:
        pytest.skip("without a mount namespace nothing is mounted")
    with pytest.raises(SandboxFailed, match="/no/such/folder"):
        await sandbox.run(["true"], spec=SandboxSpec(workspace, readable=(Path("/no/such/folder"),)))
