"""Fetching from git repositories with the git program: shallow, bare, without hooks, prompts or foreign settings.

Where git may connect to is decided before, as for every address that users give (`core.outbound`); redirects are not
followed. Git then connects to the very address that was checked, so a name server cannot answer differently to it.
"""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from roadbed.catalog.errors import LocationUnreadable
from roadbed.core.outbound import AddressRefused, IpAddress, Outbound, Unreachable
from roadbed.scm.contract import GitAddress, read_address

FETCH_SECONDS = 120
SSH_PORT = 22
_MEASURE_SECONDS = 0.25
MAX_BLOB_BYTES = 20 * 1024 * 1024
_KEPT_VARIABLES = (
    "PATH",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
)
_SSH = "ssh -oBatchMode=yes -oConnectTimeout=15"
_CONFIG = (
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
    *(f"protocol.{name}.allow=always" for name in ("http", "https", "ssh", "git", "file")),
    "safe.directory=*",
    "gc.auto=0",
    "fetch.fsckObjects=true",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "credential.helper=",
    f"core.sshCommand={_SSH}",
)


@dataclass(frozen=True)
class FetchBounds:
    """What git may take: time, and room in the folder of its repository, which is measured while it works."""

    seconds: float = FETCH_SECONDS
    size_bytes: int | None = None


async def check_place(outbound: Outbound, url: str) -> tuple[str, ...]:
    """Return the settings with which git may fetch from `url`.

    Raises:
        LocationUnreadable: its host is at an address that is not for the open network.
    """
    address = read_address(url)
    if address is None or outbound.allows_by_name(address.host):  # without a host: the server's own files
        return ()
    try:
        found = await outbound.resolve(address.host, address.port)
    except (AddressRefused, Unreachable) as error:
        raise LocationUnreadable(error.message, hint=error.hint) from error
    return pin(url, address, found)


def pin(url: str, address: GitAddress, to: IpAddress) -> tuple[str, ...]:
    """Return the settings with which git connects to `to` when it fetches from `url`, whatever its host's name says."""
    numbers = f"[{to}]" if to.version == 6 else str(to)
    if address.scheme in ("http", "https"):
        return (f"http.curloptResolve={address.host}:{address.port}:{numbers}",)
    if address.scheme == "ssh":  # the alias is the name under which the host's key is known
        known_as = address.host if address.port == SSH_PORT else f"[{address.host}]:{address.port}"
        return (f"core.sshCommand={_SSH} -oHostName={to} -oHostKeyAlias={shlex.quote(known_as)} -oCheckHostIP=no",)
    authority = url.removeprefix("git://").partition("/")[0]
    return (f"url.git://{numbers}:{address.port}/.insteadOf=git://{authority}/",)


@dataclass(frozen=True)
class Access:
    """How git reaches a repository elsewhere.

    Args:
        settings: `name=value` each; they stand among its arguments.
        secret_settings: name → value, for its environment.
    """

    settings: tuple[str, ...] = ()
    secret_settings: Mapping[str, str] = field(default_factory=dict, repr=False)


class GitRepository:
    """A bare repository that keeps the newest commit of one branch of another. `access` is for fetching."""

    def __init__(self, folder: Path, access: Access = Access(), bounds: FetchBounds = FetchBounds()) -> None:
        self._folder = folder
        self._access = access
        self._bounds = bounds

    def fetch(self, url: str, branch: str | None) -> str:
        """Fetch the newest commit and return its id.

        Raises:
            LocationUnreadable: git could not.
        """
        if not (self._folder / "HEAD").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._git("init", "--bare", "--quiet", "--initial-branch=main")
        wanted = f"refs/heads/{branch}" if branch else "HEAD"
        self._git(
            "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--force", "--no-write-fetch-head",
            "--", url, f"+{wanted}:refs/roadbed/read",
        )  # fmt: skip
        return self.find_commit()

    def find_commit(self) -> str:
        """Return the id of the commit that was fetched last.

        Raises:
            LocationUnreadable: nothing was fetched yet.
        """
        return self._git("rev-parse", "refs/roadbed/read^{commit}").decode().strip()

    def list_blobs(self, commit: str) -> dict[str, str]:
        """Return path → id of the files of a commit. Links, submodules and very large files are left out."""
        blobs = {}
        for entry in self._git("ls-tree", "-r", "-z", "--long", "--full-tree", commit).split(b"\0"):
            head, _, path = entry.partition(b"\t")
            fields = head.split()
            if fields and fields[0] in (b"100644", b"100755") and int(fields[3]) <= MAX_BLOB_BYTES:
                blobs[path.decode("utf-8", "replace")] = fields[2].decode()
        return blobs

    def read_blob(self, blob: str) -> bytes:
        return self._git("cat-file", "blob", blob)

    def _git(self, *arguments: str) -> bytes:
        return run_git(*arguments, folder=self._folder, access=self._access, bounds=self._bounds)


def find_newest_commit(url: str, branch: str | None, access: Access = Access()) -> str | None:
    """Ask a repository for the id of its newest commit, without fetching it.

    Raises:
        LocationUnreadable: git could not.
    """
    wanted = f"refs/heads/{branch}" if branch else "HEAD"
    answer = run_git("ls-remote", "--quiet", "--", url, wanted, access=access).decode()
    return answer.split("\t", 1)[0] if answer else None


def run_git(
    *arguments: str, folder: Path | None = None, access: Access = Access(), bounds: FetchBounds = FetchBounds()
) -> bytes:
    """Run git and return what it prints.

    Raises:
        LocationUnreadable: it failed, or took too long, or too much room.
    """
    options = [part for setting in (*_CONFIG, *access.settings) for part in ("-c", setting)]
    place = [f"--git-dir={folder}"] if folder else []
    with subprocess.Popen(
        ["git", *options, *place, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(access),
        start_new_session=True,
    ) as process:
        try:
            output, errors = _await_end(process, folder, bounds)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise LocationUnreadable(
                f"git {arguments[0]} did not end within {bounds.seconds:.0f} s.",
                hint="Try again, or check the address.",
            ) from error
        except _TooLarge as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise LocationUnreadable(
                f"The repository has more than {(bounds.size_bytes or 0) // 1_000_000:,} MB.",
                hint="Register it at once.",
            ) from error
    if process.returncode:
        raise LocationUnreadable(
            _explain(errors.decode("utf-8", "replace")), hint="Check the address, the branch and access."
        )
    return output


class _TooLarge(Exception):
    """The folder has grown over its bounds."""


def _await_end(process: subprocess.Popen[bytes], folder: Path | None, bounds: FetchBounds) -> tuple[bytes, bytes]:
    """Return what a process prints; it is looked after while it works only where its room is bounded."""
    if bounds.size_bytes is None or folder is None:
        return process.communicate(timeout=bounds.seconds)
    deadline = time.monotonic() + bounds.seconds
    while True:
        try:
            return process.communicate(timeout=_MEASURE_SECONDS)
        except subprocess.TimeoutExpired:
            if sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file()) > bounds.size_bytes:
                raise _TooLarge from None
            if time.monotonic() > deadline:
                raise


def _environment(access: Access) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    for number, (name, value) in enumerate(access.secret_settings.items()):
        kept |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return kept | {
        "GIT_CONFIG_COUNT": str(len(access.secret_settings)),
        "LC_ALL": "C.UTF-8",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }


def _explain(errors: str) -> str:
    lines = [line.removeprefix("fatal: ").removeprefix("error: ") for line in errors.splitlines() if line.strip()]
    return f"git says: {' '.join(lines)[:500] or 'nothing'}."
