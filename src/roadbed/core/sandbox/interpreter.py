"""The Python that commands in sandboxes use: the one that Roadbed itself runs under.

Pipelines build for it and workloads run with it, so that what was built fits.
"""

import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from roadbed.core.sandbox.isolation import Isolation


@dataclass(frozen=True)
class Interpreter:
    """A Python with its library. `folder` must be readable for a command that uses `program`."""

    program: Path
    folder: Path


def find_interpreter(isolation: Isolation) -> Interpreter | None:
    """Return Roadbed's own Python, without its virtual environment; None when sandboxes cannot reach it."""
    folder = Path(sys.base_prefix).resolve()
    program = folder / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not program.is_file() or not is_reachable(program, isolation):
        return None
    return Interpreter(program, folder)


def is_reachable(path: Path, isolation: Isolation) -> bool:
    """Tell whether a command can reach a path that it is given as readable."""
    if isolation.mechanism.has_namespace or not isolation.mechanism.has_uid:
        return True  # it is mounted for the command, or the command has the server's own account
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
