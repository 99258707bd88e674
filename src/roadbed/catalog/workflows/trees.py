"""Opening the files around the entities of a location (service.trees).

Only what the location itself may read is given: a clone as it was fetched last, or the folder of the server that the
location names.
"""

import hashlib
import os
from pathlib import Path
from uuid import UUID

from roadbed.catalog.errors import LocationUnreadable
from roadbed.catalog.rules.targets import fixed_folder
from roadbed.catalog.service.trees import LocationTree
from roadbed.catalog.types import LocationSummary, LocationType
from roadbed.catalog.workflows.clones import clone_of
from roadbed.catalog.workflows.git import GitRepository
from roadbed.core.services import Services

MAX_FILES = 50_000
_SKIPPED_FOLDERS = frozenset({".git", "node_modules", ".venv", "__pycache__"})


def open_location_tree(services: Services, location: LocationSummary, folder: str) -> LocationTree:
    """Open the files of a location; see `LocationTrees`."""
    if location.type == LocationType.FILE:
        return _FileTree(Path(fixed_folder(location.target) or "/"), folder)
    if location.type != LocationType.GIT:
        raise LocationUnreadable(
            f"A location of the type {location.type} has no files beside its entities.",
            hint="Register the repository as a location of type git as well.",
        )
    return _GitTree(location.id, clone_of(services, location.id))


class _GitTree:
    def __init__(self, location_id: UUID, clone: Path) -> None:
        if not (clone / "HEAD").exists():
            raise LocationUnreadable(f"The location {location_id} was not read yet.", hint="Refresh the location.")
        self._repository = GitRepository(clone)
        self.revision = self._repository.find_commit()
        self._blobs = self._repository.list_blobs(self.revision)
        self.paths = frozenset(self._blobs)

    def read(self, path: str, *, limit_bytes: int) -> bytes | None:
        content = self._repository.read_blob(self._blobs[path])
        return content if len(content) <= limit_bytes else None


class _FileTree:
    def __init__(self, root: Path, folder: str) -> None:
        self._root = root.resolve()
        if not self._root.is_dir():
            raise LocationUnreadable(f"There is no folder {root}.", hint="Correct the path of the location.")
        state = hashlib.sha256()
        paths = []
        for path, status in self._walk(folder):
            paths.append(path)
            state.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode("utf-8", "surrogateescape"))
        self.revision = state.hexdigest()[:40]
        self.paths = frozenset(paths)

    def read(self, path: str, *, limit_bytes: int) -> bytes | None:
        file = self._root / path
        try:
            if not file.resolve().is_relative_to(self._root):
                return None
            with file.open("rb") as stream:
                content = stream.read(limit_bytes + 1)
        except OSError:
            return None
        return content if len(content) <= limit_bytes else None

    def _walk(self, folder: str) -> list[tuple[str, os.stat_result]]:
        """Return the plain files with their state, sorted; links are left out, they may lead anywhere."""
        found: list[tuple[str, os.stat_result]] = []
        for current, folders, names in os.walk(self._root / folder):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
            for name in sorted(names):
                file = Path(current) / name
                if not file.is_symlink() and file.is_file():
                    found.append((file.relative_to(self._root).as_posix(), file.stat()))
            if len(found) > MAX_FILES:
                raise LocationUnreadable(
                    f"{self._root / folder} holds more than {MAX_FILES:,} files.", hint="Name a narrower folder."
                )
        return found
