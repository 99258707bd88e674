"""Sources: what a location of each type is read through. They block, and are used in threads."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from roadbed.catalog.errors import LocationMissing, LocationUnreadable
from roadbed.catalog.rules import targets
from roadbed.catalog.rules.targets import GitTarget
from roadbed.catalog.types import Source
from roadbed.catalog.workflows.git import GitRepository

ReadBlob = Callable[[str], bytes]

MAX_PATHS = 200_000
_SKIPPED_FOLDERS = frozenset({".git", "node_modules", ".venv", "__pycache__"})


class FileSource:
    """A file or glob on the server's own disk. Nothing outside its folder is read, not through links either."""

    revision: str | None = None

    def __init__(self, target: str) -> None:
        """Prepare to read `target`, an absolute path or glob.

        Raises:
            LocationMissing: the folder is not there.
        """
        self._root = Path(targets.fixed_folder(target) or "/")
        self._pattern = target[len(str(self._root)) :].lstrip("/")
        if not self._root.is_dir():
            raise LocationMissing(f"There is no folder {self._root}.", hint="Correct the path of the location.")
        self._resolved_root = self._root.resolve()

    def list_entries(self) -> list[str]:
        found = self.expand(self._pattern)
        if not found:
            raise LocationMissing(
                f"No file matches {self._pattern} in {self._root}.", hint="Correct the path of the location."
            )
        return found

    def locate(self, target: str) -> str | None:  # noqa: ARG002 - it follows no addresses
        return None

    def expand(self, pattern: str) -> list[str]:
        if not targets.is_glob(pattern):
            return [pattern] if self._file(pattern) else []
        return [
            path for path in targets.match_glob(pattern, self._walk(targets.fixed_folder(pattern))) if self._file(path)
        ]

    def digest(self, path: str) -> str | None:
        file = self._file(path)
        if file is None:
            return None
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def read(self, path: str) -> bytes:
        file = self._file(path)
        if file is None:
            raise LocationUnreadable(f"{path} has just been removed.", hint="Refresh the location again.")
        return file.read_bytes()

    def fingerprint(self, paths: Iterable[str]) -> str:
        state = hashlib.sha256()
        for path in sorted(set(paths)):
            try:
                stat = (self._root / path).stat()
            except OSError:
                state.update(f"{path}\0gone\n".encode())
            else:
                state.update(f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}\n".encode())
        return state.hexdigest()

    def describe(self, path: str) -> str:
        return f"file:{self._root / path}"

    def annotate(self, path: str) -> Mapping[str, str]:  # noqa: ARG002 - a file of the server is shown nowhere else
        return {}

    def _file(self, path: str) -> Path | None:
        file = self._root / path
        try:
            is_inside = file.resolve().is_relative_to(self._resolved_root)
            return file if is_inside and file.is_file() else None
        except (OSError, ValueError, RuntimeError):  # a loop of links, a NUL in the name
            return None

    def _walk(self, folder: str) -> list[str]:
        paths: list[str] = []
        for current, folders, names in os.walk(self._root / folder):
            folders[:] = [name for name in folders if name not in _SKIPPED_FOLDERS]
            base = Path(current).relative_to(self._root)
            paths += [(base / name).as_posix() for name in names]
            if len(paths) > MAX_PATHS:
                raise LocationUnreadable(
                    f"{self._root / folder} holds more than {MAX_PATHS:,} files.",
                    hint="Name a narrower folder in the glob.",
                )
        return paths


class OwnSource:
    """The newest commit of a repository of Roadbed's own host, read through the host."""

    def __init__(self, target: GitTarget, revision: str, blobs: Mapping[str, str], read_blob: ReadBlob) -> None:
        self._target = target
        self._blobs = blobs
        self._read = read_blob
        self.revision: str | None = revision

    def list_entries(self) -> list[str]:
        return _entries(self, self._target)

    def locate(self, target: str) -> str | None:  # noqa: ARG002 - it follows no addresses
        return None

    def expand(self, pattern: str) -> list[str]:
        return _expand(pattern, self._blobs)

    def digest(self, path: str) -> str | None:
        return self._blobs.get(path)

    def read(self, path: str) -> bytes:
        return self._read(path)

    def fingerprint(self, paths: Iterable[str]) -> str:  # noqa: ARG002 - one commit stands for all files
        return str(self.revision)

    def describe(self, path: str) -> str:
        return _describe(self._target, path)

    def annotate(self, path: str) -> Mapping[str, str]:  # noqa: ARG002 - git does not know where people see its files
        return {}


class GitSource:
    """The newest commit of a branch. Files are read from git's own store; nothing is checked out."""

    def __init__(self, target: GitTarget, repository: GitRepository) -> None:
        """Fetch the newest commit.

        Raises:
            LocationUnreadable: git could not; the message is git's.
        """
        self._target = target
        self._repository = repository
        self.revision: str | None = repository.fetch(target.url, target.branch)
        self._blobs = repository.list_blobs(self.revision)

    def list_entries(self) -> list[str]:
        return _entries(self, self._target)

    def locate(self, target: str) -> str | None:  # noqa: ARG002 - it follows no addresses
        return None

    def expand(self, pattern: str) -> list[str]:
        return _expand(pattern, self._blobs)

    def digest(self, path: str) -> str | None:
        return self._blobs.get(path)

    def read(self, path: str) -> bytes:
        return self._repository.read_blob(self._blobs[path])

    def fingerprint(self, paths: Iterable[str]) -> str:  # noqa: ARG002 - one commit stands for all files
        return str(self.revision)

    def describe(self, path: str) -> str:
        return _describe(self._target, path)

    def annotate(self, path: str) -> Mapping[str, str]:  # noqa: ARG002 - git does not know where people see its files
        return {}


def _entries(source: Source, target: GitTarget) -> list[str]:
    found = source.expand(target.path)
    if not found:
        branch = f" on branch {target.branch}" if target.branch else ""
        raise LocationMissing(
            f"There is no {target.path} in {target.url}{branch}.",
            hint="Add the file, or name another one: URL#branch:path.",
        )
    return found


def _expand(pattern: str, paths: Mapping[str, str]) -> list[str]:
    if not targets.is_glob(pattern):
        return [pattern] if pattern in paths else []
    return targets.match_glob(pattern, paths)


def _describe(target: GitTarget, path: str) -> str:
    return f"git:{target.url}#{target.branch or ''}:{path}"
