"""Files of other repositories on the same host, that Location entities of the organisation name by their address.

Each is asked for by itself, with the credential of the location and only on its host; only so many of them are.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode

from roadbed.catalog.contract import ELSEWHERE, LocationUnreadable, Memory
from roadbed.integrations.github.rules.addresses import FileAddress
from roadbed.integrations.github.service.client import GithubClient
from roadbed.integrations.github.service.files import FilesReader

MOST = 100
_NAMED = "elsewhere"
_PATH = re.compile(rf"{ELSEWHERE}([^/]+)/([^/]+)/([^/]+)/(.+)")


def write_path(address: FileAddress) -> str:
    """Return the path under which the source of a location has a file of another repository."""
    return f"{ELSEWHERE}{address.owner}/{address.repository}/{quote(address.branch, safe='')}/{address.path}"


def read_path(path: str) -> FileAddress | None:
    """Return which file of another repository a path stands for; None for the organisation's own."""
    match = _PATH.fullmatch(path)
    return FileAddress(match[1], match[2], unquote(match[3]), match[4]) if match else None


@dataclass
class ElsewhereFiles:
    """The files that are named; `unreadable` says why one could not be read."""

    client: GithubClient
    memory: Memory
    files: FilesReader
    unreadable: dict[str, str] = field(default_factory=dict)
    _shas: dict[str, str | None] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)

    async def look(self) -> dict[str, str | None]:
        """Return the ids of the contents of those that were named in the last reading."""
        named = self.memory.find(_NAMED) or {"paths": []}
        return {path: await self.find(path) for path in named["paths"]}

    def begin(self) -> None:
        """Begin a reading: what it does not name is forgotten."""
        self.memory.forget(_NAMED)
        known = {_address_of(path) for path in self._shas}
        self.client.forget(lambda address: "/contents/" in address and address not in known)

    async def find(self, path: str) -> str | None:
        """Return the id of a file's content; None when it is not there, cannot be read, or is one too many."""
        if read_path(path) is None:
            return None
        if path not in self._shas:
            if len(self._shas) >= MOST:
                self.unreadable[path] = f"more than {MOST} files of other repositories are named"
                return None
            self._shas[path] = await self._ask(path)
        return self._shas[path]

    async def name(self, path: str) -> str | None:
        """Return the id of a file's content, and look at it from now on."""
        found = await self.find(path)
        if path in self._shas and path not in self._named:
            self._named.add(path)
            self.memory.put(_NAMED, {"paths": sorted(self._named)})
        return found

    async def read(self, path: str) -> bytes:
        """Return the content of a file that was found.

        Raises:
            LocationUnreadable, ReadLater.
        """
        address, sha = read_path(path), self._shas[path]
        assert address is not None
        assert sha is not None
        return await self.files.fetch(f"{address.owner}/{address.repository}", sha)

    async def _ask(self, path: str) -> str | None:
        try:
            answer = await self.client.remember(_address_of(path), _reduce)
        except LocationUnreadable as error:
            self.unreadable[path] = error.message
            return None
        found: str | None = answer["kept"]["sha"] if answer is not None else None
        return found


def _address_of(path: str) -> str:
    address = read_path(path)
    assert address is not None
    place = f"/repos/{quote(address.owner)}/{quote(address.repository)}/contents/{quote(address.path)}"
    return f"{place}?{urlencode({'ref': address.branch})}"


def _reduce(body: Any) -> dict[str, str | None]:
    is_file = isinstance(body, dict) and body.get("type") == "file"
    return {"sha": str(body["sha"]) if is_file else None}
