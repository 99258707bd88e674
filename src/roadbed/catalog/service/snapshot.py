"""The snapshot of this process's index: the prepared entities in files, so that a start need not prepare them again.

Only what has changed is written anew, in another process. A snapshot says up to where it holds, and a start follows the
catalog from there; it is dropped where that is not certain: other code, another or a restored database, an old or
damaged file, or so much behind that loading is faster.
"""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import orjson
import structlog

import roadbed
from roadbed.catalog import rules
from roadbed.catalog.repository import snapshots as rows
from roadbed.catalog.repository.changes import find_position
from roadbed.catalog.rules.index.entries import pack_cut, read_rows
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.pieces import PieceDamaged, unpack
from roadbed.core.db import Database, ReadSession
from roadbed.core.workers import open_workers
from roadbed.kit.clock import now

log = structlog.get_logger(__name__)

MANIFEST = "manifest.json"
KEPT_HOURS = 12
"""Touches are kept for longer than that, so that none is missed."""
_FEW = 2000
"""Up to so many entities are loaded before a snapshot would have been read."""
_BEHIND = 20
"""A snapshot is used while less than one in so many entities has changed since."""
_MOST_CHANGES = 5000


@dataclass(frozen=True, slots=True)
class Progress:
    """Up to where an index has followed the catalog."""

    position: int
    horizon: int


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What a snapshot consists of and depends on. `pieces` are names of files, in their order."""

    code: str
    database: str
    position: int
    horizon: int
    change: str | None
    touch: str | None
    at: str
    entities: int
    pieces: list[str]


class Snapshot:
    """The snapshot in a folder, which nobody else writes to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: Index | None = None
        self._pieces: list[str] = []

    def is_of(self, index: Index) -> bool:
        """Tell whether the snapshot is of this index, in whatever state."""
        return self._written is index

    async def restore(self, session: ReadSession) -> tuple[Index, Progress] | None:
        """Return the index that was kept, and from where to follow the catalog; None when there is none to use."""
        manifest = await asyncio.to_thread(self._read_manifest)
        if manifest is None:
            return None
        reason = await _find_reason_against(session, manifest)
        if reason is None:
            try:
                index = await asyncio.to_thread(self._read_index, manifest.pieces)
            except (OSError, PieceDamaged) as error:
                reason = str(error)
            else:
                self._written, self._pieces = index, manifest.pieces
                return index, Progress(manifest.position, manifest.horizon)
        log.info("catalog.snapshot_not_used", reason=reason)
        return None

    async def write(self, database: Database, index: Index, progress: Progress) -> None:
        """Keep an index as it is now: those pieces that have changed since it was kept last.

        Args:
            database: what is in the index.
            index: the index.
            progress: up to where it follows the catalog now.
        """
        if len(index) < _FEW:
            return
        changed = index.take_changed()
        if not self.is_of(index):
            self._pieces, changed = [], set(range(index.cut_count))
        pieces = [*self._pieces, *[""] * (index.cut_count - len(self._pieces))]
        cuts = {place: index.cut(place) for place in sorted(changed)}
        entities = len(index)
        self._written = None  # should it fail, the next one writes everything
        if cuts:
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, exist_ok=True)
            async with open_workers("roadbed.catalog.rules.index.entries") as workers:
                for place, cut in cuts.items():
                    kept = await asyncio.wrap_future(workers.submit(pack_cut, cut))
                    pieces[place] = f"{place:05d}-{uuid4().hex[:12]}"
                    await asyncio.to_thread(_write_file, self._folder / pieces[place], kept)
        async with database.read() as session:
            manifest = _Manifest(
                code=_find_code(),
                database=await rows.find_database(session),
                position=progress.position,
                horizon=progress.horizon,
                change=await rows.find_change(session, progress.position),
                touch=await rows.find_newest_touch(session, before=progress.horizon),
                at=now().isoformat(),
                entities=entities,
                pieces=pieces,
            )
        await asyncio.to_thread(self._finish, manifest)
        self._written, self._pieces = index, pieces
        log.info("catalog.snapshot_written", pieces=len(cuts), of=len(pieces), position=progress.position)

    def _read_manifest(self) -> _Manifest | None:
        try:
            return _Manifest(**orjson.loads((self._folder / MANIFEST).read_bytes()))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError):
            log.warning("catalog.snapshot_damaged", file=MANIFEST)
            return None

    def _read_index(self, pieces: list[str]) -> Index:
        index = Index(read_rows)
        for name in pieces:
            index.load(unpack((self._folder / name).read_bytes()))
        index.finish_loading()
        return index

    def _finish(self, manifest: _Manifest) -> None:
        """Make what was written the snapshot, and remove what belonged to the one before."""
        _write_file(self._folder / f".{MANIFEST}", orjson.dumps(asdict(manifest)))
        (self._folder / f".{MANIFEST}").replace(self._folder / MANIFEST)
        for path in self._folder.iterdir():
            if path.name not in {MANIFEST, *manifest.pieces}:
                path.unlink()


async def _find_reason_against(session: ReadSession, manifest: _Manifest) -> str | None:
    """Say why a snapshot is not to be used; None when following the catalog from there gives what is there now."""
    behind = await find_position(session) - manifest.position
    if manifest.code != _find_code():
        return "It was written by other code."
    if manifest.database != await rows.find_database(session):
        return "It is of another database."
    if now() - datetime.fromisoformat(manifest.at) > timedelta(hours=KEPT_HOURS):
        return "It is too old."
    if not 0 <= behind <= min(manifest.entities // _BEHIND, _MOST_CHANGES):
        return f"{behind} changes have been made since."
    if manifest.change != await rows.find_change(session, manifest.position):
        return "The catalog has another history."
    if manifest.touch is not None and not await rows.has_touch(session, manifest.touch):
        return "The catalog has another history."
    return None


def _find_code() -> str:
    """Return what tells this code from any other that might prepare entities in another way."""
    folder = Path(next(iter(rules.__path__)))
    written = sha256(f"{roadbed.__version__} {sys.version}".encode())
    for line in sorted(_describe_files(folder)):
        written.update(line.encode())
    return written.hexdigest()


def _describe_files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        found = path.stat()
        yield f"{path.relative_to(folder)} {found.st_size} {found.st_mtime_ns}"


def _write_file(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
