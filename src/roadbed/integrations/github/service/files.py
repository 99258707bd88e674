"""The files of repositories: which there are, by their trees, and what is in them, by their blobs.

A tree is asked for only when its repository was pushed to, and then with its ETag. What is remembered of it are the
files that the location names and those that were asked about; of all others the whole tree is asked for again.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from roadbed.catalog.contract import LocationUnreadable, Memory, ReadLater, is_glob, match_glob
from roadbed.integrations.github.service.client import GithubClient
from roadbed.integrations.github.types import Repository, Wanted
from roadbed.kit.clock import now

STALE = "stale:repository:"
"""Begin of the keys of the memory under which a webhook tells that a repository changed."""
_KEY, _BLOB = "repository:", "blob:"
_UNREADABLE = "unreadable"
_RETRY_SECONDS = 3600
_MAX_BYTES = 10 * 1024 * 1024
_MAX_HELD_BYTES = 100 * 1024 * 1024
_FILE_MODES = ("100644", "100755")
_SETTLED = timedelta(minutes=2)
"""GitHub tells when a repository was pushed to by the second: what is younger is looked at once more."""


@dataclass
class RepositoryFiles:
    """Files of one repository, path → id of the content. With `is_complete` there are no others."""

    repository: Repository
    branch: str
    entries: tuple[str, ...]
    files: dict[str, str | None]
    is_complete: bool = False


@dataclass
class FilesReader:
    """Trees and contents of the repositories of one location.

    `unreadable` says why a repository could not be read; what was known of it stays. `too_large` are those whose trees
    GitHub cuts off.
    """

    client: GithubClient
    memory: Memory
    organisation: str
    wanted: Wanted
    unreadable: dict[str, str] = field(default_factory=dict)
    too_large: set[str] = field(default_factory=set)
    _blobs: dict[str, bytes] = field(default_factory=dict)

    def is_settled(self, repository: Repository) -> bool:
        """Tell whether another push cannot have the same time any more."""
        return repository.pushed_at is None or datetime.fromisoformat(repository.pushed_at) < now() - _SETTLED

    async def read_tree(self, repository: Repository) -> RepositoryFiles:
        """Return the files of a repository that the location names, and those that were asked about before."""
        branch, key = self.wanted.branch or repository.default_branch, _KEY + repository.name
        known = self.memory.find(key)
        if known is not None and (known["branch"], known["pattern"]) != (branch, self.wanted.path):
            known = None
        is_stale = self.memory.find(STALE + repository.name) is not None
        if known is not None and known["pushed_at"] == repository.pushed_at and not is_stale:
            return self._recall(repository, branch, known)
        try:
            answer = await self.client.get(self._tree(repository.name, branch), etag=known["etag"] if known else None)
        except LocationUnreadable as error:
            self.unreadable[repository.name] = error.message
            return self._recall(repository, branch, known or {"entries": {}, "asked": {}})
        pushed_at = repository.pushed_at if self.is_settled(repository) else None
        self.memory.forget(STALE + repository.name)
        if answer.status == 304 and known is not None:
            self.memory.put(key, {**known, "pushed_at": pushed_at})
            return self._recall(repository, branch, known)
        files = _read_entries(answer.body)
        if files and answer.body.get("truncated"):
            await self._mend(repository, branch, files)
        named = match_glob(self.wanted.path, files) if is_glob(self.wanted.path) else [self.wanted.path]
        found: dict[str, Any] = {
            "pushed_at": pushed_at,
            "branch": branch,
            "pattern": self.wanted.path,
            "etag": answer.headers.get("etag"),
            "entries": {path: files[path] for path in named if path in files},
            "asked": {path: files.get(path) for path in (known or {}).get("asked", {})},
        }
        self.memory.put(key, found)
        return RepositoryFiles(repository, branch, tuple(found["entries"]), dict(files), is_complete=True)

    async def _mend(self, repository: Repository, branch: str, files: dict[str, str]) -> None:
        """Add the named file to a tree that GitHub has cut off, if it is one file and not a glob."""
        path = self.wanted.path
        self.too_large.add(repository.name)
        if path not in files and not is_glob(path):
            address = (
                f"/repos/{self.organisation}/{repository.name}/contents/{quote(path)}?{urlencode({'ref': branch})}"
            )
            answer = await self.client.get(address)
            if isinstance(answer.body, dict) and answer.body.get("type") == "file":
                files[path] = answer.body["sha"]

    async def complete(self, one: RepositoryFiles) -> None:
        """Learn of all files of a repository."""
        answer = await self.client.get(self._tree(one.repository.name, one.branch))
        one.files = dict(_read_entries(answer.body))
        one.is_complete = True

    def note_unreadable(self) -> None:
        """Remember whether all could be read, so that what could not be is tried again."""
        if self.unreadable:
            self.memory.put(_UNREADABLE, {"repositories": sorted(self.unreadable)})
        else:
            self.memory.forget(_UNREADABLE)

    @property
    def attempt(self) -> int:
        """What changes once an hour while a repository could not be read."""
        return int(now().timestamp()) // _RETRY_SECONDS if self.memory.find(_UNREADABLE) is not None else 0

    def note_asked(self, one: RepositoryFiles, path: str) -> None:
        """Remember whether a file is there that only another one names."""
        key = _KEY + one.repository.name
        known = self.memory.find(key)
        if known is not None and path not in known["entries"]:
            self.memory.put(key, {**known, "asked": {**known["asked"], path: one.files.get(path)}})

    def forget_others(self, names: set[str]) -> None:
        """Forget the repositories that are not read any more."""
        for prefix in (_KEY, STALE):
            for key in self.memory.list_keys(prefix):
                if key.removeprefix(prefix) not in names:
                    self.memory.forget(key)

    def take_held(self) -> None:
        """Take the contents that an earlier reading has fetched before it had to wait."""
        for key in self.memory.list_keys(_BLOB):
            held = self.memory.find(key)
            assert held is not None
            self._blobs[key.removeprefix(_BLOB)] = base64.b64decode(held["content"])
            self.memory.forget(key)

    def find_fetched(self, sha: str) -> bytes | None:
        return self._blobs.get(sha)

    async def fetch(self, repository: str, sha: str) -> bytes:
        """Return the content of a file of a repository, `owner/name`.

        Raises:
            LocationUnreadable: it cannot be had.
            ReadLater: not now; what was fetched is held until then.
        """
        if sha not in self._blobs:
            try:
                answer = await self.client.get(f"/repos/{repository}/git/blobs/{sha}")
            except ReadLater:
                self._hold()
                raise
            self._blobs[sha] = _decode(repository, sha, answer.body)
        return self._blobs[sha]

    def _hold(self) -> None:
        size = 0
        for sha, content in self._blobs.items():
            size += len(content)
            if size <= _MAX_HELD_BYTES:
                self.memory.put(_BLOB + sha, {"content": base64.b64encode(content).decode()})

    def _tree(self, name: str, branch: str) -> str:
        return f"/repos/{self.organisation}/{name}/git/trees/{quote(branch, safe='')}?recursive=1"

    def _recall(self, repository: Repository, branch: str, known: Mapping[str, Any]) -> RepositoryFiles:
        return RepositoryFiles(repository, branch, tuple(known["entries"]), {**known["asked"], **known["entries"]})


def _read_entries(body: Any) -> dict[str, str]:
    """Return path → id of the files of a tree; none when there is no tree. Links and very large files are left out."""
    try:
        return {
            str(entry["path"]): str(entry["sha"])
            for entry in (body or {}).get("tree", ())
            if entry.get("type") == "blob" and entry.get("mode") in _FILE_MODES and entry.get("size", 0) <= _MAX_BYTES
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise LocationUnreadable("A tree is not as GitHub writes it.", hint="Is it a GitHub host?") from error


def _decode(repository: str, sha: str, body: Any) -> bytes:
    try:
        return base64.b64decode(body["content"])
    except (TypeError, KeyError, binascii.Error) as error:
        raise LocationUnreadable(
            f"The file {sha[:12]} of {repository} cannot be read.", hint="Refresh the location again."
        ) from error
