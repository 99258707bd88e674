"""A file behind an http(s) address, and those beside it that it names. Each is fetched once a reading."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from urllib.parse import urljoin, urlsplit

from roadbed.catalog.errors import LocationMissing, LocationUnreadable
from roadbed.catalog.rules import targets
from roadbed.catalog.rules.sources import VIEW_URL
from roadbed.core.errors import RoadbedError
from roadbed.core.outbound import MAX_REDIRECTS, Outbound, OutboundRequest

FETCH_SECONDS = 120
_GONE = (404, 410)


class UrlSource:
    """Files of one web server, by their paths there; `loop` is where requests are sent from."""

    revision: str | None = None

    def __init__(self, target: str, outbound: Outbound, loop: asyncio.AbstractEventLoop) -> None:
        """Prepare to read.

        Raises:
            LocationUnreadable: it is no such address.
        """
        try:
            parts = urlsplit(target)
        except ValueError as error:
            raise _no_address(target) from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _no_address(target)
        self._root = f"{parts.scheme}://{parts.netloc}/"
        self._entry = target[len(f"{parts.scheme}://{parts.netloc}") :].lstrip("/")
        self._outbound = outbound
        self._loop = loop
        self._fetched: dict[str, bytes | None] = {}

    def list_entries(self) -> list[str]:
        if self._fetch(self._entry) is None:
            raise LocationMissing(
                f"There is nothing at {self._root}{self._entry}.", hint="Correct the address of the location."
            )
        return [self._entry]

    def locate(self, target: str) -> str | None:  # noqa: ARG002 - it follows no addresses
        return None

    def expand(self, pattern: str) -> list[str]:
        if targets.is_glob(pattern):
            return []  # a web server does not tell which files it has
        return [pattern] if self._fetch(pattern) is not None else []

    def digest(self, path: str) -> str | None:
        content = self._fetch(path)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def read(self, path: str) -> bytes:
        content = self._fetch(path)
        assert content is not None
        return content

    def fingerprint(self, paths: Iterable[str]) -> str:
        state = hashlib.sha256()
        for path in sorted(set(paths)):
            state.update(f"{path}\0{self.digest(path)}\n".encode())
        return state.hexdigest()

    def describe(self, path: str) -> str:
        return f"url:{urljoin(self._root, path)}"

    def annotate(self, path: str) -> Mapping[str, str]:
        return {VIEW_URL: urljoin(self._root, path)}

    def _fetch(self, path: str) -> bytes | None:
        if path not in self._fetched:
            sending = self._get(urljoin(self._root, path))
            self._fetched[path] = asyncio.run_coroutine_threadsafe(sending, self._loop).result(FETCH_SECONDS)
        return self._fetched[path]

    async def _get(self, url: str) -> bytes | None:
        try:
            answer = await self._outbound.send(OutboundRequest(url, max_redirects=MAX_REDIRECTS))
        except RoadbedError as error:
            raise LocationUnreadable(error.message, hint=error.hint) from error
        if answer.status in _GONE:
            return None
        if not answer.is_success:
            raise LocationUnreadable(f"{url} answers with status {answer.status}.", hint="Try again later.")
        return answer.body


def _no_address(target: str) -> LocationUnreadable:
    return LocationUnreadable(
        f"{target!r} is not the address of a file.", hint="Give one that begins with http:// or https://."
    )
