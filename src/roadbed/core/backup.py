"""Backup and restore of a home folder: one tar archive of the database and of the folders that domains keep.

A domain adds what it keeps on disk through the `BACKUP` slot. The secrets key is never in an archive: a backup that is
stolen must not open the secrets in it.
"""

import json
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import roadbed
from roadbed.core.errors import Conflict, Invalid
from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.home import EXECUTOR_ID_FILE, Home, open_home_database
from roadbed.core.postgres import dump_database, restore_database
from roadbed.core.postgres.binaries import Programs, find_programs
from roadbed.core.settings import Settings

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE_FILE = "database.dump"


@dataclass(frozen=True)
class BackupFolder:
    """A folder below the home folder that belongs into a backup."""

    name: str


BACKUP: Slot[BackupFolder] = Slot(ContributionKind.BACKUP, BackupFolder)


class NotABackup(Invalid):
    code = "backup.not_a_backup"


class HomeNotEmpty(Conflict):
    code = "backup.home_not_empty"


@dataclass(frozen=True)
class BackupReport:
    size_bytes: int
    folders: tuple[str, ...]


@dataclass(frozen=True)
class RestoreReport:
    """`lost` tells in words what the archive does not hold."""

    home: Path
    lost: tuple[str, ...]


def _programs(settings: Settings, home: Home) -> Programs:
    return (
        home.postgres.programs
        if home.postgres is not None
        else find_programs(pg_bin=settings.pg_bin, prefers_given=True)
    )


async def back_up(settings: Settings, file: Path, *, folders: tuple[BackupFolder, ...]) -> BackupReport:
    """Write the archive; the server may run. The database is dumped first, folders after it.

    A repository may so hold commits that the dumped database has not heard of; the start after a restore finds them.
    """
    async with open_home_database(settings) as home:
        with tempfile.TemporaryDirectory(dir=settings.home, prefix="backup-") as scratch:
            dump = Path(scratch) / DATABASE_FILE
            await dump_database(_programs(settings, home), url=home.database_url, file=dump)
            names = (EXECUTOR_ID_FILE, *(folder.name for folder in folders))
            present = tuple(name for name in names if (settings.home / name).exists())
            manifest = Path(scratch) / MANIFEST
            values = {
                "format": FORMAT,
                "version": roadbed.__version__,
                "at": datetime.now(UTC).isoformat(),
                "folders": present,
            }
            manifest.write_text(json.dumps(values, indent=2))
            partial = file.with_name(file.name + ".partial")
            with tarfile.open(partial, "w") as archive:
                archive.add(manifest, MANIFEST)
                archive.add(dump, DATABASE_FILE)
                for name in present:
                    archive.add(settings.home / name, name)
            partial.chmod(0o600)
            partial.replace(file)
    return BackupReport(file.stat().st_size, present)


async def restore(settings: Settings, file: Path) -> RestoreReport:
    """Fill an empty home folder from an archive.

    Raises:
        NotABackup: the file is something else, or of a newer format.
        HomeNotEmpty: the folder holds data already.
    """
    manifest = _read_manifest(file)
    if settings.home.exists() and any(settings.home.iterdir()):
        raise HomeNotEmpty(
            f"{settings.home} is not empty, so nothing was restored.", hint="Name a new folder with --home."
        )
    settings.home.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file) as archive:
        members = [member for member in archive.getmembers() if member.name != MANIFEST]
        archive.extractall(settings.home, members, filter="data")
    dump = settings.home / DATABASE_FILE
    async with open_home_database(settings) as home:
        await restore_database(_programs(settings, home), url=home.database_url, file=dump)
    dump.unlink()
    lost = ["the secrets key: put the old secrets.key into the folder, or set ROADBED_SECRETS__KEY, before the start"]
    lost.append("databases of workloads, which a backup does not hold yet: they are made again, empty, when asked for")
    if "workloads" not in manifest["folders"]:
        lost.append("running workloads: they are started again from their deployments")
    return RestoreReport(settings.home, tuple(lost))


def _read_manifest(file: Path) -> dict[str, Any]:
    try:
        with tarfile.open(file) as archive:
            entry = archive.extractfile(MANIFEST)
            values: dict[str, Any] = json.load(entry) if entry else {}
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise NotABackup(f"{file} is not a backup of Roadbed: {error}.", hint="Use `roadbed db backup`.") from error
    if values.get("format") != FORMAT:
        raise NotABackup(
            f"{file} has the backup format {values.get('format')}; this Roadbed reads {FORMAT}.",
            hint="Restore it with the version that wrote it, or a newer one.",
        )
    return values
