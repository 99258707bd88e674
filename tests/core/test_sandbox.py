"""Each test runs with every mechanism that this account can have; the last one repeats them without privileges."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from roadbed.core.sandbox import (
    Isolation,
    Limits,
    Mechanism,
    Outcome,
    ProcessIdentity,
    Sandbox,
    SandboxFailed,
    SandboxSpec,
    UidRange,
    detect_isolation,
    find_file,
)
from roadbed.core.sandbox.isolation import UidPool
from roadbed.core.sandbox.processes import start_token

pytestmark = pytest.mark.anyio

IS_ROOT = os.geteuid() == 0
MECHANISMS = [Mechanism.UID_AND_NAMESPACE, Mechanism.UID] if IS_ROOT else [Mechanism.NAMESPACE]
NOBODY = 65534


@pytest.fixture(params=MECHANISMS, ids=str, scope="module")
def isolation(request: pytest.FixtureRequest) -> Isolation:
    found = detect_isolation(wanted=request.param)
    if not found.is_isolated:
        pytest.skip(found.reason)
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every account may pass, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="roadbed-sandbox-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def sandbox(isolation: Isolation) -> Sandbox:
    return Sandbox(isolation, scope=f"test-{uuid4().hex}")


@pytest.fixture
def workspace(place: Path) -> Path:
    return make_folder(place / "workspace")


def make_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


async def sh(sandbox: Sandbox, script: str, spec: SandboxSpec) -> tuple[Outcome, str]:
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    outcome = await sandbox.run(["sh", "-c", script], spec=spec, on_output=keep)
    return outcome, b"".join(pieces).decode(errors="replace")


def processes_with(mark: str) -> list[int]:
    found: list[int] = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and mark in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


async def until(is_true: Callable[[], object], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.01)


async def test_command_runs_in_its_workspace_and_its_exit_code_comes_back(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / "given").write_text("hello")
    outcome, output = await sh(sandbox, "cat given; pwd; echo made > made; exit 3", SandboxSpec(workspace))
    assert output == f"hello{workspace}\n"
    assert (outcome.exit_code, outcome.is_timed_out, outcome.is_isolated) == (3, False, True)
    assert not outcome.is_success
    assert (workspace / "made").read_text() == "made\n"


async def test_key_file_of_the_server_cannot_be_read(sandbox: Sandbox, place: Path, workspace: Path) -> None:
    key = place / "secrets.key"
    key.write_text("the-key")
    key.chmod(0o600)
    outcome, output = await sh(sandbox, f"cat {key}", SandboxSpec(workspace))
    assert outcome.exit_code != 0
    assert "the-key" not in output


async def test_socket_folder_of_another_account_cannot_be_entered(
    sandbox: Sandbox, place: Path, workspace: Path
) -> None:
    folder = make_folder(place / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ".s.PGSQL.5432"))
        listener.listen()
        if IS_ROOT:
            os.chown(folder, NOBODY, NOBODY)
        folder.chmod(0o700)
        outcome, output = await sh(sandbox, f"ls -a {folder}; test -S {folder}/.s.PGSQL.5432", SandboxSpec(workspace))
    assert outcome.exit_code != 0
    assert ".s.PGSQL" not in output


async def test_environment_and_memory_of_the_server_cannot_be_read(sandbox: Sandbox, workspace: Path) -> None:
    script = "cat /proc/[0-9]*/environ; for p in /proc/[0-9]*; do head -c1 $p/mem; ls -l $p/cwd; done; true"
    _, output = await sh(sandbox, script, SandboxSpec(workspace))
    own = Path("/proc/self/environ").read_bytes().split(b"\0")
    secret = [pair.decode() for pair in own if b"=" in pair and not pair.startswith((b"PATH=", b"LANG=", b"PWD="))]
    shown = set(output.split("\0"))
    assert secret
    assert not shown & set(secret)
    assert str(Path.cwd()) not in output


async def test_workspace_of_a_neighbour_can_be_read_neither_while_it_runs_nor_after(
    sandbox: Sandbox, place: Path, workspace: Path
) -> None:
    neighbour = make_folder(place / "neighbour")
    script = "echo private > file; until test -e stop; do sleep 0.02; done"
    running = asyncio.create_task(sh(sandbox, script, SandboxSpec(neighbour)))
    await until(lambda: (neighbour / "file").exists() and (neighbour / "file").read_text())
    _, during = await sh(sandbox, f"cat {neighbour}/file", SandboxSpec(workspace))
    (neighbour / "stop").touch()
    await running
    _, after = await sh(sandbox, f"cat {neighbour}/file {neighbour}/../.neighbour.tmp/*", SandboxSpec(workspace))
    assert "private" not in during + after


async def test_nothing_but_the_workspace_and_tmp_can_be_written(sandbox: Sandbox, place: Path, workspace: Path) -> None:
    extra = make_folder(place / "extra")
    (extra / "tool").write_text("usable")
    script = f"""cat {extra}/tool; echo x > $TMPDIR/ok && cat $TMPDIR/ok
        for f in / /usr /etc /opt /dev {extra}; do touch $f/made 2>/dev/null && echo "wrote $f"; done
        touch {place}/made; true"""
    _, output = await sh(sandbox, script, SandboxSpec(workspace, readable=(extra,)))
    assert output.startswith("usablex\n")
    assert "wrote" not in output
    assert not (place / "made").exists()


async def test_tmp_is_private_and_gone_afterwards(sandbox: Sandbox, place: Path, workspace: Path) -> None:
    await sh(sandbox, "echo left > $TMPDIR/left", SandboxSpec(workspace))
    _, output = await sh(sandbox, "cat $TMPDIR/left; ls $TMPDIR/..", SandboxSpec(workspace))
    assert "left\n" not in output
    assert [entry.name for entry in place.iterdir()] == ["workspace"]


async def test_environment_holds_only_what_was_given(sandbox: Sandbox, workspace: Path) -> None:
    os.environ["ROADBED_SECRETS__KEY"] = "not-for-jobs"
    try:
        spec = SandboxSpec(workspace, environment={"GIVEN": "yes", "PATH": "/opt/tool/bin:/usr/bin:/bin"})
        _, output = await sh(sandbox, "env", spec)
    finally:
        del os.environ["ROADBED_SECRETS__KEY"]
    variables = dict(line.split("=", 1) for line in output.splitlines())
    allowed = {"PATH", "HOME", "TMPDIR", "LANG", "USER", "LOGNAME", "ROADBED_SANDBOX", "GIVEN", "PWD", "SHLVL", "_"}
    assert set(variables) <= allowed
    assert variables["HOME"] == str(workspace)
    assert variables["GIVEN"] == "yes"
    assert variables["PATH"].startswith("/opt/tool/bin:")


async def test_command_has_no_privileges_and_gains_none(sandbox: Sandbox, workspace: Path) -> None:
    _, output = await sh(
        sandbox, "grep -E '^(CapPrm|CapEff|NoNewPrivs|Groups)' /proc/self/status", SandboxSpec(workspace)
    )
    fields = {name: value.strip() for name, value in (line.split(":") for line in output.splitlines())}
    assert int(fields["CapPrm"], 16) == int(fields["CapEff"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    if IS_ROOT:
        assert fields["Groups"] == ""


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
    assert sign or outcome.exit_code == 128 + signal.SIGXCPU or outcome.exit_code == 128 + signal.SIGKILL
    assert outcome.duration_seconds < 8


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


async def test_commands_in_different_workspaces_have_different_accounts(sandbox: Sandbox, place: Path) -> None:
    if not sandbox.isolation.mechanism.has_uid:
        pytest.skip("without root all commands have the account of the server")
    script = "id -u; touch up; until test -e stop; do sleep 0.02; done"
    folders = [make_folder(place / name) for name in ("one", "two")]
    running = [asyncio.create_task(sh(sandbox, script, SandboxSpec(folder))) for folder in folders]
    await until(lambda: all((folder / "up").exists() for folder in folders))
    for folder in folders:
        (folder / "stop").touch()
    first, second = [output for _, output in await asyncio.gather(*running)]
    assert first != second


async def test_missing_readable_folder_is_named(sandbox: Sandbox, workspace: Path) -> None:
    if not sandbox.isolation.mechanism.has_namespace:
        pytest.skip("without a mount namespace nothing is mounted")
    with pytest.raises(SandboxFailed, match="/no/such/folder"):
        await sandbox.run(["true"], spec=SandboxSpec(workspace, readable=(Path("/no/such/folder"),)))


async def test_only_shown_folders_and_own_processes_are_visible(sandbox: Sandbox, place: Path, workspace: Path) -> None:
    if not sandbox.isolation.mechanism.has_namespace:
        pytest.skip("without a mount namespace the file system is shared")
    make_folder(place / "other")
    _, output = await sh(
        sandbox,
        f"ls -A {place}; ls -d /root /home /var /sys; ls -d /proc/[0-9]* | wc -l; id -un",
        SandboxSpec(workspace),
    )
    lines = [line for line in output.splitlines() if "No such file" not in line]
    assert lines[0] == "workspace"
    assert int(lines[1]) <= 5
    if IS_ROOT:
        assert lines[2] == "sandbox"


async def test_workspace_below_a_closed_folder_works_with_a_namespace_and_is_refused_without(
    sandbox: Sandbox, place: Path
) -> None:
    closed = make_folder(place / "closed")
    workspace = make_folder(closed / "workspace")
    closed.chmod(0o700)
    if sandbox.isolation.mechanism.has_namespace:
        _, output = await sh(sandbox, f"cd /; cd {workspace}; pwd", SandboxSpec(workspace))
        assert output == f"{workspace}\n"
    else:
        with pytest.raises(SandboxFailed, match="closed is closed to others"):
            await sandbox.run(["true"], spec=SandboxSpec(workspace))


async def test_hidden_folder_below_a_shown_one_is_not_seen(isolation: Isolation, place: Path, workspace: Path) -> None:
    if not isolation.mechanism.has_namespace:
        pytest.skip("without a mount namespace nothing is hidden")
    home = make_folder(place / "shown" / "home")
    (home / "secrets.key").write_text("the-key")
    inner = make_folder(home / "work" / "inner")
    _, output = await sh(
        Sandbox(isolation, hidden=(home,)),
        f"cd {inner} && pwd; ls -A {home}; cat {home}/secrets.key",
        SandboxSpec(inner, readable=(place / "shown",)),
    )
    assert output.splitlines()[:2] == [str(inner), "work"]
    assert "the-key" not in output


async def test_file_with_a_second_name_is_copied_before_it_changes_hands(
    sandbox: Sandbox, place: Path, workspace: Path
) -> None:
    if not sandbox.isolation.mechanism.has_uid:
        pytest.skip("files change hands only between accounts")
    shared, closed = place / "shared", place / "closed"
    shared.write_text("object")
    closed.write_text("the-key")
    closed.chmod(0o600)
    (workspace / "linked").hardlink_to(shared)
    await sh(sandbox, "echo changed > linked", SandboxSpec(workspace))
    assert shared.read_text() == "object"
    assert shared.stat().st_uid == os.geteuid()
    (workspace / "stolen").hardlink_to(closed)
    with pytest.raises(SandboxFailed, match="closed to others"):
        await sandbox.run(["true"], spec=SandboxSpec(workspace))
    assert closed.stat().st_uid == os.geteuid()


async def test_only_own_regular_files_are_read_from_a_workspace(sandbox: Sandbox, place: Path, workspace: Path) -> None:
    (place / "secrets.key").write_text("the-key")
    script = "echo ok > report; ln -s report linked; ln -s ../secrets.key stolen; mkfifo pipe; mkdir folder"
    await sh(sandbox, script, SandboxSpec(workspace))
    assert find_file(workspace, "report") == find_file(workspace, "linked") == workspace / "report"
    for name in ("stolen", "pipe", "folder", "missing", "../secrets.key", "/etc/passwd"):
        assert find_file(workspace, name) is None


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


async def test_without_isolation_the_outcome_says_so_and_children_are_still_ended(place: Path) -> None:
    workspace, mark = make_folder(place / "workspace"), f"300.{uuid4().int % 10**9}"
    sandbox = Sandbox(Isolation(Mechanism.NONE, "for this test"))
    outcome, _ = await sh(sandbox, f"setsid nohup sleep {mark} >/dev/null 2>&1 & exit 0", SandboxSpec(workspace))
    assert not outcome.is_isolated
    assert not sandbox.isolation.is_isolated
    await until(lambda: not processes_with(mark))


async def test_detection_takes_the_strongest_mechanism_and_gives_reasons() -> None:
    assert detect_isolation(wanted=Mechanism.NONE).reason
    found = detect_isolation()
    if not found.is_isolated:
        assert found.reason
    elif IS_ROOT:
        assert found.mechanism.has_uid
    else:
        assert found.mechanism is Mechanism.NAMESPACE


async def test_user_ids_are_handed_out_once_on_the_machine() -> None:
    if not IS_ROOT:
        pytest.skip("accounts are given out by root only")
    uids = UidRange(52_990, 3)
    one, other = UidPool(uids), UidPool(uids)
    taken = [one.acquire(), other.acquire(), one.acquire()]
    assert sorted(taken) == list(uids)
    with pytest.raises(SandboxFailed, match="All 3 user ids"):
        other.acquire()
    one.release(taken[0])
    assert other.acquire() == taken[0]
    for pool, uid in ((other, taken[0]), (other, taken[1]), (one, taken[2])):
        pool.release(uid)


def as_nobody(command: list[str], paths: list[Path]) -> list[str]:
    """Run a command without privileges, with paths shown to it that stand below closed folders."""
    closed = {folder for path in paths for folder in path.parents if not folder.stat().st_mode & stat.S_IXOTH}
    tops = {folder for folder in closed if not closed & set(folder.parents)}
    arguments = [shutil.which("bwrap") or "bwrap", "--dev-bind", "/", "/"]
    for top in tops:
        arguments += ["--perms", "0755", "--tmpfs", str(top)]
    for path in paths:
        if tops & set(path.parents):
            for parent in reversed(path.parents):
                arguments += ["--perms", "0755", "--dir", str(parent)] if tops & set(parent.parents) else []
            arguments += ["--ro-bind", str(path), str(path)]
    arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "setpriv", f"--reuid={NOBODY}"]
    return [*arguments, f"--regid={NOBODY}", "--clear-groups", *command]


def test_all_of_this_holds_for_an_unprivileged_server(place: Path) -> None:
    isolation = detect_isolation(wanted=Mechanism.UID_AND_NAMESPACE)
    if not isolation.is_isolated:
        pytest.skip("this is the unprivileged run, or such a run cannot be made here: " + isolation.reason)
    os.chown(place, NOBODY, NOBODY)
    repository = Path(__file__).parents[2]
    paths = [repository, Path(sys.prefix), Path(sys.base_prefix)]
    command = [sys.executable, "-m", "pytest", str(Path(__file__)), "-q", "-p", "no:randomly", "-p", "no:xdist"]
    done = subprocess.run(
        as_nobody(command, paths),
        cwd=repository,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout.splitlines()[-1], done.stdout[-6000:]
