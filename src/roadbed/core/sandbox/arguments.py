"""The command line that puts a command into a sandbox, and the environment that goes with it.

The order is: bubblewrap (own mounts and processes), setpriv (own account, no privileges), a shell that sets the
resource limits, the command. Each of them replaces itself by the next.
"""

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from roadbed.core.sandbox.isolation import Isolation, Mechanism
from roadbed.core.sandbox.spec import Limits, SandboxSpec

COOKIE_VARIABLE = "ROADBED_SANDBOX"
"""Marks each process of a sandbox, so that it can be found again where nothing else tells it apart."""

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
PRIVATE_TEMPORARY = "/tmp"  # noqa: S108 - not the machine's: inside, it is the sandbox's own
PRIVATE_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - likewise
ACCOUNT_NAME = "sandbox"

_SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store")
_SHARED_MEMORY_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Placement:
    """The particulars of one launch that are not the caller's to choose.

    Args:
        isolation: how to isolate.
        uid: the account, with mechanisms that give one.
        temporary: the folder that is the command's /tmp.
        hidden: folders that must not be seen although a parent is: Roadbed's home.
        dies_with_server: whether the end of the server ends the command.
        status_fd: where bubblewrap reports to.
    """

    isolation: Isolation
    uid: int
    temporary: Path
    hidden: tuple[Path, ...] = ()
    dies_with_server: bool = True
    status_fd: int = -1


def build_environment(spec: SandboxSpec, placement: Placement, *, cookie: str) -> dict[str, str]:
    """Return the whole environment of a command: nothing of the server's own is passed on."""
    has_namespace = placement.isolation.mechanism.has_namespace
    environment = {
        "PATH": DEFAULT_PATH,
        "HOME": str(spec.workspace),
        "TMPDIR": PRIVATE_TEMPORARY if has_namespace else str(placement.temporary),
        "LANG": "C.UTF-8",
        "USER": ACCOUNT_NAME,
        "LOGNAME": ACCOUNT_NAME,
    }
    return environment | dict(spec.environment) | {COOKIE_VARIABLE: cookie}


def build_arguments(
    command: Sequence[str], *, spec: SandboxSpec, placement: Placement, account_fds: tuple[int, ...] = ()
) -> list[str]:
    """Return the whole command line, beginning with an absolute path.

    Args:
        command: the program and its arguments.
        spec: what the command is given.
        placement: how it is isolated.
        account_fds: readable descriptors of the passwd and group files it shall see.
    """
    mechanism = placement.isolation.mechanism
    arguments: list[str] = []
    if mechanism.has_namespace:
        arguments += _bubblewrap(spec, placement, account_fds)
    if mechanism.has_uid:
        arguments += _setpriv(placement)
    directory = spec.directory or spec.workspace
    script = _limits_script(spec, has_process_limit=mechanism is not Mechanism.NONE)
    return [*arguments, "/bin/sh", "-c", script, "sh", str(directory), *command]


def account_files(uid: int, home: Path) -> tuple[bytes, bytes]:
    """Return passwd and group files with an entry for a sandbox's user id: some programs insist on a name."""
    passwd, group = Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes()
    try:
        pwd.getpwuid(uid)
    except KeyError:
        passwd += f"{ACCOUNT_NAME}:x:{uid}:{uid}::{home}:/bin/sh\n".encode()
        group += f"{ACCOUNT_NAME}:x:{uid}:\n".encode()
    return passwd, group


def _setpriv(placement: Placement) -> list[str]:
    arguments = [
        placement.isolation.setpriv,
        f"--reuid={placement.uid}",
        f"--regid={placement.uid}",
        "--clear-groups",
        "--inh-caps=-all",
        "--ambient-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
    ]
    if placement.dies_with_server and not placement.isolation.mechanism.has_namespace:
        arguments.append("--pdeathsig=KILL")
    return arguments


def _bubblewrap(spec: SandboxSpec, placement: Placement, account_fds: tuple[int, ...]) -> list[str]:
    arguments = [placement.isolation.bubblewrap, "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--hostname", ACCOUNT_NAME]
    if spec.is_offline:
        arguments.append("--unshare-net")
    if placement.isolation.mechanism.has_uid:
        # Only for setpriv, which gives them all up.
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            arguments += ["--cap-add", capability]
    else:
        arguments += ["--unshare-user", "--disable-userns"]
    if placement.dies_with_server:
        arguments.append("--die-with-parent")
    if placement.status_fd >= 0:
        arguments += ["--json-status-fd", str(placement.status_fd)]
    arguments += _mounts(spec, placement)
    for descriptor, path in zip(account_fds, ("/etc/passwd", "/etc/group"), strict=False):
        arguments += ["--perms", "0644", "--ro-bind-data", str(descriptor), path]
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"]


def _mounts(spec: SandboxSpec, placement: Placement) -> list[str]:
    """Build the file system from an empty root, parents before what is inside them."""
    wanted = dict.fromkeys(placement.hidden, "hide") | dict.fromkeys(_system_folders(), "read")
    wanted |= dict.fromkeys(spec.readable, "read") | {spec.workspace: "write"}
    arguments = ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--perms", "1777", "--size", str(_SHARED_MEMORY_BYTES), "--tmpfs", PRIVATE_SHARED_MEMORY]
    arguments += ["--bind", str(placement.temporary), PRIVATE_TEMPORARY]
    is_empty = {Path("/"): True, Path(PRIVATE_TEMPORARY): True}  # by mount: whether folders have to be made in it
    for path in sorted(wanted, key=lambda path: len(path.parts)):
        around = max((mount for mount in is_empty if path.is_relative_to(mount)), key=lambda mount: len(mount.parts))
        if wanted[path] != "hide":
            if is_empty[around]:
                arguments += _parents(path, around)
            arguments += _bind(path, wanted[path])
            is_empty[path] = False
        elif not is_empty[around]:
            arguments += ["--perms", "0755", "--tmpfs", str(path)]
            is_empty[path] = True
    return arguments


def _bind(path: Path, kind: str) -> list[str]:
    if kind == "read" and path.is_symlink() and str(path) in _SYSTEM_FOLDERS:
        return ["--symlink", str(path.readlink()), str(path)]  # /bin → usr/bin
    return ["--bind" if kind == "write" else "--ro-bind", str(path), str(path)]


def _parents(path: Path, mount: Path) -> list[str]:
    """Make the folders between a mount and a path passable: bubblewrap would copy the mode of a closed one."""
    arguments: list[str] = []
    for parent in reversed(path.parents):
        if parent != mount and parent.is_relative_to(mount):
            arguments += ["--perms", "0755", "--dir", str(parent)]
    return arguments


def _system_folders() -> list[Path]:
    folders = [Path(folder) for folder in _SYSTEM_FOLDERS if Path(folder).exists()]
    resolver = Path(os.path.realpath("/etc/resolv.conf"))
    if resolver.exists() and not resolver.is_relative_to("/etc"):
        folders.append(resolver.parent)  # kept by systemd-resolved or by the host of a container
    return folders


def _limits_script(spec: SandboxSpec, *, has_process_limit: bool) -> str:
    lines = [f"umask {spec.umask:04o}", *_ulimits(spec.limits)]
    if has_process_limit and spec.limits.process_count is not None:
        # The letter is -u in bash and ksh, -p in dash and busybox.
        count = spec.limits.process_count
        lines.append(f"ulimit -u {count} 2>/dev/null || ulimit -p {count}")
    lines += ['cd -- "$1" || exit 126', "unset OLDPWD", "shift", 'exec "$@"']
    return "\n".join(lines)


def _ulimits(limits: Limits) -> list[str]:
    wanted = (
        ("-c", 0, 1),
        ("-t", limits.cpu_seconds, 1),
        ("-v", limits.address_space_bytes, 1024),
        ("-f", limits.file_bytes, 512),
        ("-n", limits.open_file_count, 1),
    )
    return [f"ulimit {letter} {-(-value // unit)}" for letter, value, unit in wanted if value is not None]
