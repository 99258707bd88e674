"""The folders of pipeline runs: a fresh workspace for each, and caches that pass from one run to the next.

A cache belongs to the owner of a repository. It is moved into the workspace for a run and out of it afterwards, so that
no two runs write to one, and files may be linked from it. Who finds none begins with an empty one.
"""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from roadbed.core.sandbox import remove_tree, temporary_of
from roadbed.kit.ids import parse_id


@dataclass(frozen=True)
class Place:
    """Where one pipeline run works. `folder` is the workspace, which is also the HOME of its commands."""

    folder: Path

    @property
    def source(self) -> Path:
        """The files of the commit; commands start here."""
        return self.folder / "source"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def temporary(self) -> Path:
        """What a killed server may leave of its last command's /tmp."""
        return temporary_of(self.folder)


class PipelineFolders:
    """Where pipelines work on this machine.

    Args:
        folder: made on first use; others may pass it, because commands run under accounts of their own.
        cache_bytes: a cache that has grown larger is thrown away; 0 keeps none.
        cache_count: how many caches are kept for one owner: as many as can be in use at a time.
    """

    def __init__(self, folder: Path, *, cache_bytes: int, cache_count: int) -> None:
        self.tools = folder / "tools"
        self._workspaces = folder / "workspaces"
        self._caches = folder / "caches"
        self._cache_bytes = cache_bytes
        self._cache_count = cache_count
        for path in (folder, self._workspaces):
            path.mkdir(mode=0o711, exist_ok=True)
            path.chmod(0o711)
        self._caches.mkdir(mode=0o700, exist_ok=True)

    def place_of(self, run_id: UUID) -> Place:
        """Return the place of a run, whether it exists or not."""
        return Place(self._workspaces / str(run_id))

    def open(self, run_id: UUID) -> Place:
        """Return the place of a run, its workspace made."""
        place = self.place_of(run_id)
        place.folder.mkdir(mode=0o700, exist_ok=True)
        return place

    def take_cache(self, place: Place, owner: str) -> None:
        """Give the workspace a cache of the owner, unless it has one."""
        if place.cache.is_dir() and not place.cache.is_symlink():
            return
        if os.path.lexists(place.cache):
            remove_tree(place.cache)  # a command put something else there
        for slot in self._slots(owner):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                slot.rename(place.cache)
                return
        place.cache.mkdir(mode=0o700)

    def return_cache(self, place: Place, owner: str) -> None:
        """Keep the cache of a workspace for later runs, when there is room for it."""
        if not place.cache.is_dir() or place.cache.is_symlink():
            return
        if _size_of(place.cache, limit_bytes=self._cache_bytes) <= self._cache_bytes:
            (self._caches / owner).mkdir(mode=0o700, exist_ok=True)
            for slot in self._slots(owner):
                if not slot.exists():
                    with contextlib.suppress(OSError):  # another run was faster
                        place.cache.rename(slot)
                        return
        remove_tree(place.cache)

    def remove(self, place: Place) -> None:
        """Delete a workspace; it may be gone already."""
        for folder in (place.folder, place.temporary):
            if folder.is_dir():
                remove_tree(folder)

    def list_runs(self) -> list[UUID]:
        """List the runs that have a workspace."""
        return [run_id for folder in self._workspaces.iterdir() if (run_id := parse_id(folder.name)) is not None]

    def list_workspaces(self) -> list[str]:
        """List what is in the folder of workspaces."""
        return sorted(folder.name for folder in self._workspaces.iterdir())

    def list_cache_owners(self) -> list[str]:
        """List the owners who have caches."""
        return sorted(folder.name for folder in self._caches.iterdir())

    def _slots(self, owner: str) -> Iterable[Path]:
        return [self._caches / owner / str(number) for number in range(self._cache_count)]


def _size_of(folder: Path, *, limit_bytes: int) -> int:
    """Return the size of all files, or more than the limit as soon as it is exceeded."""
    size_bytes = 1
    for root, _, names in os.walk(folder):
        size_bytes += sum((Path(root) / name).lstat().st_size for name in names)
        if size_bytes > limit_bytes:
            break
    return size_bytes
