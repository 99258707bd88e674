"""The one place that starts git: a clean environment, a time limit, bounded output, and errors that say what git meant.

Nothing of the machine's or an account's configuration reaches git, and no repository's hooks or helpers run: what a
repository contains is data.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from roadbed.scm.errors import FileTooLarge, GitFailed, GitMissing

TIMEOUT_SECONDS = 60
OUTPUT_BYTES = 64 * 1024 * 1024
_CHUNK = 65_536
_STDERR_BYTES = 8_192

# What git may know. Values given this way count as given on the command line, so a repository cannot override them.
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.fsync": "committed,reference",
    "core.quotePath": "true",
    "safe.directory": "*",  # the folders are ours, whichever account started us
    "gc.auto": "0",  # maintenance is a schedule of ours, under the repository's lock
    "maintenance.auto": "false",
    "receive.autoGC": "false",
    "receive.fsckObjects": "true",
    "receive.hideRefs": "refs/roadbed",
    "receive.denyDeleteCurrent": "refuse",
    "transfer.credentialsInUrl": "die",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowReachableSHA1InWant": "true",  # pipelines fetch the one commit they run on
    "uploadpack.hideRefs": "refs/roadbed/writes",
    "http.receivepack": "true",
    "http.getanyfile": "false",
    "protocol.allow": "never",
    "user.name": "Roadbed",
    "user.email": "roadbed@localhost",
    "init.defaultBranch": "main",
    "advice.detachedHead": "false",
}


@dataclass(frozen=True)
class GitResult:
    """How git ended. `is_cut` when it said more than was wanted; it was ended then."""

    code: int
    stdout: bytes
    stderr: str
    is_cut: bool = False

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")


def git_environment(**config: str) -> dict[str, str]:
    """Return the whole environment of a git process. `config` adds values; double underscores stand for dots."""
    values = {**_CONFIG, **{name.replace("__", "."): value for name, value in config.items()}}
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_COUNT": str(len(values)),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_PAGER": "cat",
    }
    for number, (name, value) in enumerate(values.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = name
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


class Git:
    """Git in one bare repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        expected: Sequence[int] = (0,),
        limit_bytes: int = OUTPUT_BYTES,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> GitResult:
        """Run `git arguments` to its end.

        Args:
            arguments: of git; what users gave stands behind `--` or `--end-of-options`.
            stdin: what it reads.
            expected: exit codes that are answers and no errors.
            limit_bytes: of output; git is ended when it says more.
            timeout_seconds: git is ended after this.

        Raises:
            GitFailed: it ended otherwise, or took too long.
        """
        command = ("git", f"--git-dir={self.folder}", *arguments)
        result = await _communicate(command, self.folder, stdin, limit_bytes, timeout_seconds)
        if result.code not in expected and not result.is_cut:
            raise git_failed(arguments[0], result)
        return result

    async def text(self, *arguments: str) -> str:
        """Return what git says, without the last line end."""
        return (await self.run(*arguments)).text.rstrip("\n")


async def init_repository(folder: Path, *, default_branch: str) -> None:
    """Make an empty bare repository without templates, so without hooks."""
    command = ("git", "init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}", str(folder))
    result = await _communicate(command, folder.parent, b"", OUTPUT_BYTES, TIMEOUT_SECONDS)
    if result.code != 0:
        raise git_failed("init", result)


def git_failed(verb: str, result: GitResult) -> GitFailed:
    """Return the error for a git command that ended with an error nobody expected."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    meant = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
    if result.code == -signal.SIGKILL and not meant:
        meant = "it took too long and was ended"
    return GitFailed(
        f"git {verb} failed: {meant or f'exit code {result.code}'}",
        hint="Try again; if it stays so, the log of Roadbed has git's own words.",
        exit_code=result.code,
    )


@asynccontextmanager
async def process_group(process: asyncio.subprocess.Process) -> AsyncIterator[asyncio.subprocess.Process]:
    """End `process` and all it started when the block ends, however it ends. It must lead its own session."""
    try:
        yield process
    finally:
        kill_group(process)
        await asyncio.shield(process.wait())


def kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill the process group of `process`, also when only its children are left."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def read_stderr(process: asyncio.subprocess.Process) -> str:
    """Read all of the standard error, so that git never waits for us, and return its beginning."""
    assert process.stderr is not None
    kept = b""
    while chunk := await process.stderr.read(_CHUNK):
        kept += chunk[: _STDERR_BYTES - len(kept)]
    return kept.decode("utf-8", "replace")


async def _start(command: Sequence[str], folder: Path, *, is_fed: bool) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if is_fed else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder if folder.is_dir() else None,
            env=git_environment(),
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise GitMissing(
            "The program git is not found on PATH, and Roadbed keeps repositories with it.",
            hint="Install git (on Debian: apt-get install git), then start Roadbed again.",
        ) from error


async def _communicate(
    command: Sequence[str], folder: Path, stdin: bytes, limit_bytes: int, timeout_seconds: float
) -> GitResult:
    process = await _start(command, folder, is_fed=bool(stdin))
    async with process_group(process):
        try:
            async with asyncio.timeout(timeout_seconds), asyncio.TaskGroup() as group:
                feeding = group.create_task(_feed(process, stdin))
                errors = group.create_task(read_stderr(process))
                output, is_cut = await _read_limited(process, limit_bytes)
                if is_cut:
                    kill_group(process)
                    feeding.cancel()
            code = await process.wait()
        except TimeoutError:
            kill_group(process)
            code = await process.wait()
            return GitResult(code, b"", f"fatal: it took more than {timeout_seconds:g} s and was ended")
        return GitResult(code, output, errors.result(), is_cut)


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    if process.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # git ended early; its exit code says why
        for start in range(0, len(data), _CHUNK):
            process.stdin.write(data[start : start + _CHUNK])
            await process.stdin.drain()
    process.stdin.close()


async def _read_limited(process: asyncio.subprocess.Process, limit_bytes: int) -> tuple[bytes, bool]:
    assert process.stdout is not None
    pieces: list[bytes] = []
    size_bytes = 0
    while chunk := await process.stdout.read(_CHUNK):
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            pieces.append(chunk[: len(chunk) - (size_bytes - limit_bytes)])
            return b"".join(pieces), True
        pieces.append(chunk)
    return b"".join(pieces), False


def file_too_large(path: str, size_bytes: int, limit_bytes: int) -> FileTooLarge:
    return FileTooLarge(
        f"{path} has {size_bytes:,} bytes; at most {limit_bytes:,} are read here.", hint="Clone the repository instead."
    )
