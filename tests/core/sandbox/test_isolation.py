"""What commands cannot reach, whatever the mechanism."""

import asyncio
import os
import socket
from pathlib import Path
from uuid import uuid4

import pytest

from roadbed.core.sandbox import (
    Isolation,
    Mechanism,
    Sandbox,
    SandboxFailed,
    SandboxSpec,
    UidRange,
    detect_isolation,
    find_file,
)
from roadbed.core.sandbox.isolation import UidPool
from tests.core.sandbox.support import IS_ROOT, NOBODY, make_folder, processes_with, sh, until

pytestmark = pytest.mark.anyio


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


async def test_without_isolation_the_outcome_says_so_and_children_are_still_ended(place: Path) -> None:
    workspace, mark = make_folder(place / "workspace"), f"300.{uuid4().int % 10**9}"
    sandbox = Sandbox(Isolation(Mechanism.NONE, "for this test"))
    outcome, _ = await sh(sandbox, f"setsid nohup sleep {mark} >/dev/null 2>&1 & exit 0", SandboxSpec(workspace))
    assert not outcome.is_isolated
    assert not sandbox.isolation.is_isolated
    await until(lambda: not processes_with(mark))


async def test_without_isolation_a_process_that_keeps_becoming_another_program_is_ended(place: Path) -> None:
    sandbox = Sandbox(Isolation(Mechanism.NONE, "for this test"))
    for number in range(5):
        workspace, mark = make_folder(place / f"workspace-{number}"), f"mark-{uuid4().hex}"
        (workspace / "again.sh").write_text(f"exec sh ./again.sh {mark}\n")
        await sh(sandbox, f"setsid nohup sh again.sh {mark} >/dev/null 2>&1 & exit 0", SandboxSpec(workspace))
        await until(lambda mark=mark: not processes_with(mark))  # type: ignore[misc]


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
    one, other = UidPool(uids, holder="one"), UidPool(uids, holder="other")
    taken = [one.acquire(), other.acquire(), one.acquire()]
    assert sorted(taken) == list(uids)
    with pytest.raises(SandboxFailed, match="All 3 user ids"):
        other.acquire()
    one.release(taken[0])
    assert other.acquire() == taken[0]
    for pool, uid in ((other, taken[0]), (other, taken[1]), (one, taken[2])):
        pool.release(uid)
