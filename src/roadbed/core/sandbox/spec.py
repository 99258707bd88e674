"""What a command in a sandbox is given, and what is known of it afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from roadbed.core.errors import Unavailable


class SandboxFailed(Unavailable):
    """The sandbox itself could not be set up: the command did not start."""

    code = "sandbox.failed"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a command may use. None means no limit.

    `address_space_bytes` is off by default: the JVM, Node.js and Go reserve far more addresses than they use.
    All but `wall_seconds` and `output_bytes` are resource limits of the operating system; CPU, address space and
    file size count for each process, `process_count` for all of the sandbox.
    """

    wall_seconds: float | None = 3600
    output_bytes: int = 50_000_000
    cpu_seconds: int | None = None
    address_space_bytes: int | None = None
    file_bytes: int | None = None
    open_file_count: int | None = 4096
    process_count: int | None = 1024


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """Where a command runs and what it sees.

    Args:
        workspace: the one folder that it may write to; also its HOME.
        environment: its whole environment, beside PATH, HOME, TMPDIR, LANG and USER.
        readable: further folders that it may read: an interpreter, a cache, an unpacked artifact.
        directory: where it starts, inside the workspace or a readable folder; None means the workspace.
        limits: what it may use.
        umask: of the files that it makes.
        is_offline: it has no network; only mechanisms with a namespace can see to that, others refuse to start it.
    """

    workspace: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    directory: Path | None = None
    limits: Limits = Limits()
    umask: int = 0o022
    is_offline: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended.

    `exit_code` is 128 + n after signal n. When `is_timed_out`, the command was ended by Roadbed.
    `output_bytes` counts what was handed on, `dropped_bytes` what exceeded the limit.
    """

    exit_code: int
    is_timed_out: bool
    is_isolated: bool
    output_bytes: int
    dropped_bytes: int
    duration_seconds: float

    @property
    def is_success(self) -> bool:
        """True when the command ended by itself with exit code 0."""
        return self.exit_code == 0 and not self.is_timed_out
