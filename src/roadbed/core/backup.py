"""Backup and restore of a home folder: one tar archive of the database and of the folders that domains keep.

A domain adds what it keeps outside the database through the `BACKUP` slot. The secrets key is never in an archive: a
backup that is stolen must not open the secrets in it.
"""

import json
import shutil
import tarfile
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import roadbed
from roadbed.core.db import Database
from roadbed.core.errors import Conflict, Invalid
from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.home import EXECUTOR_ID_FILE, Home, open_home_database, require_installation
from roadbed.core.postgres import DumpFailed, dump_database, restore_database
from roadbed.core.postgres.binaries import Programs, find_programs
from roadbed.core.schema import count_tables, read_major
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.kit.text import plural

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE_FILE = "database.dump"
_PLAIN: Literal["r:"] = "r:"
"""A backup is not compressed, so that nothing in it unpacks to more than it is."""
_MANIFEST_BYTES = 1_000_000


@dataclass(frozen=True)
class BackupFolder:
    """A folder below the home folder that belongs into a backup.

    Args:
        name: of the folder.
        place: where it is when it may be elsewhere.
        write: for what cannot be copied while it is in use: fills an empty folder, which is taken instead.
        read: takes such a folder back once the database is restored; says in words what could not be. The folder goes.
    """

    name: str
    place: Callable[[Settings], Path] | None = None
    write: Callable[[Settings, Home, Path], Awaitable[None]] | None = None
    read: Callable[[Settings, Home, Path], Awaitable[Sequence[str]]] | None = None


BACKUP: Slot[BackupFolder] = Slot(ContributionKind.BACKUP, BackupFolder)


class NotABackup(Invalid):
    code = "backup.not_a_backup"


class HomeNotEmpty(Conflict):
    code = "backup.home_not_empty"


class DatabaseNotEmpty(Conflict):
    code = "backup.database_not_empty"


@dataclass(frozen=True)
class BackupReport:
    size_bytes: int
    folders: tuple[str, ...]


@dataclass(frozen=True)
class RestoreReport:
    """`lost` tells in words what the archive does not hold."""

    home: Path
    lost: tuple[str, ...]


async def _choose_programs(settings: Settings, home: Home) -> Programs:
    """Return the embedded server's programs; for an outside one those in ROADBED_PG_BIN, or of its own version."""
    if home.postgres is not None:
        return home.postgres.programs
    async with _connected(home.database_url) as database:
        major = await read_major(database)
    return find_programs(pg_bin=settings.pg_bin, prefers_given=True, major=None if settings.pg_bin else major)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Database]:
    database = Database(url, pool_size=2, statement_timeout_seconds=60, services=Services())
    try:
        yield database
    finally:
        await database.close()


async def back_up(settings: Settings, file: Path, *, folders: Sequence[BackupFolder]) -> BackupReport:
    """Write the archive; the server may run. The database is dumped first, folders after it.

    A repository may so hold commits that the dumped database has not heard of; the start after a restore finds them.

    Raises:
        NoInstallation: there is nothing to back up.
    """
    require_installation(settings)
    async with open_home_database(settings) as home:
        with tempfile.TemporaryDirectory(dir=settings.home, prefix="backup-") as scratch:
            dump = Path(scratch) / DATABASE_FILE
            await dump_database(await _choose_programs(settings, home), url=home.database_url, file=dump)
            parts = await _collect(settings, home, folders, Path(scratch))
            manifest = Path(scratch) / MANIFEST
            values = {
                "format": FORMAT,
                "version": roadbed.__version__,
                "at": datetime.now(UTC).isoformat(),
                "folders": list(parts),
            }
            manifest.write_text(json.dumps(values, indent=2))
            partial = file.with_name(file.name + ".partial")
            with tarfile.open(partial, "w") as archive:
                for name, path in {MANIFEST: manifest, DATABASE_FILE: dump, **parts}.items():
                    archive.add(path, name)
            partial.chmod(0o600)
            partial.replace(file)
    return BackupReport(file.stat().st_size, tuple(parts))


async def _collect(settings: Settings, home: Home, folders: Sequence[BackupFolder], scratch: Path) -> dict[str, Path]:
    """Return where each part of the archive lies, by its name there."""
    found = {EXECUTOR_ID_FILE: settings.home / EXECUTOR_ID_FILE}
    for folder in folders:
        if folder.write is None:
            found[folder.name] = _place_of(folder, settings)
        else:
            made = scratch / folder.name
            made.mkdir()
            await folder.write(settings, home, made)
            found[folder.name] = made
    return {name: path for name, path in found.items() if path.exists()}


def _place_of(folder: BackupFolder, settings: Settings) -> Path:
    return settings.home / folder.name if folder.place is None else folder.place(settings)


async def restore(settings: Settings, file: Path, *, folders: Sequence[BackupFolder]) -> RestoreReport:
    """Fill an empty home folder from an archive.

    Raises:
        NotABackup: the file is something else, or of a newer format.
        HomeNotEmpty: the folder, or one outside it, holds data already.
        DatabaseNotEmpty: the outside database does.
    """
    manifest = _read_manifest(file, settings.home)
    for place in {settings.home, *(_place_of(folder, settings) for folder in folders)}:
        if place.exists() and any(place.iterdir()):
            raise HomeNotEmpty(
                f"{place} is not empty, so nothing was restored.", hint="Name a new folder with --home or its setting."
            )
    await _require_empty_database(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    _extract(file, settings.home)
    dump = settings.home / DATABASE_FILE
    lost = ["the secrets key: put the old secrets.key into the folder, or set ROADBED_SECRETS__KEY, before the start"]
    async with open_home_database(settings) as home:
        await _restore_dump(settings, home, dump)
        for folder in folders:
            path = settings.home / folder.name
            if folder.read is not None and path.exists():
                lost += await folder.read(settings, home, path)
                shutil.rmtree(path)
            elif path.exists() and path != (place := _place_of(folder, settings)):
                shutil.copytree(path, place, dirs_exist_ok=True)
                shutil.rmtree(path)
    dump.unlink()
    if "workloads" not in manifest["folders"]:
        lost.append("running workloads: they are started again from their deployments")
    return RestoreReport(settings.home, tuple(lost))


async def _restore_dump(settings: Settings, home: Home, dump: Path) -> None:
    programs = await _choose_programs(settings, home)
    try:
        await restore_database(programs, url=home.database_url, file=dump)
    except DumpFailed as error:
        raise DumpFailed(
            f"The database was not restored, with the programs of PostgreSQL {programs.version}: {error.message}",
            hint="The server must not be older than the one that was backed up; ROADBED_PG_BIN names the programs of "
            "its version. Restore again with a new folder.",
        ) from error


async def _require_empty_database(settings: Settings) -> None:
    url = settings.database.url
    if url is None:
        return
    async with _connected(url.get_secret_value()) as database:
        count = await count_tables(database)
    if count:
        name = f"{database.url.database} on {database.url.host or 'its socket'}"
        raise DatabaseNotEmpty(
            f"The database {name} has {plural(count, 'table')} already, so nothing was restored.",
            hint="Make a new, empty database, set ROADBED_DATABASE__URL to it, and restore again.",
        )


def _extract(file: Path, home: Path) -> None:
    """Write what an archive holds into a folder, and nothing beside it; `_read_manifest` has looked at it."""
    with tarfile.open(file, _PLAIN) as archive:
        members = [member for member in archive.getmembers() if member.name != MANIFEST]
        archive.extractall(home, members, filter="data")


def _read_manifest(file: Path, home: Path) -> dict[str, Any]:
    """Return what an archive says of itself, once it is known that all it holds can be written into a folder."""
    try:
        with tarfile.open(file, _PLAIN) as archive:
            entry = archive.extractfile(MANIFEST)
            values = json.loads(entry.read(_MANIFEST_BYTES)) if entry else {}
            _check_members(archive, home)
    except (tarfile.TarError, KeyError, ValueError, RecursionError) as error:
        raise NotABackup(f"{file} is not a backup of Roadbed: {error}.", hint="Use `roadbed db backup`.") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        found = values.get("format") if isinstance(values, dict) else None
        raise NotABackup(
            f"{file} has the backup format {found}; this Roadbed reads {FORMAT}.",
            hint="Restore it with the version that wrote it, or a newer one.",
        )
    return values


def _check_members(archive: tarfile.TarFile, home: Path) -> None:
    """Raise ValueError or TarError for what is no part of a backup: paths and links that lead out, devices."""
    links: set[PurePosixPath] = set()
    for member in archive:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{member.name[:200]!r} leads out of the folder")
        if not links.isdisjoint((path, *path.parents)):
            raise ValueError(f"{member.name[:200]!r} would be written through a link")
        tarfile.data_filter(member, str(home))
        if member.issym():
            links.add(path)
