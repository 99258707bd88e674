"""Requests to GitHub's REST API: conditional, counted against the budget that its answers tell, one credential each.

What an address answered is remembered in a reduced form with its ETag. An answer "not modified" costs nothing of the
budget. When little is left of it, nothing more is sent until the host counts anew: `ReadLater` says so.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from roadbed.catalog.contract import LocationUnreadable, Memory, ReadLater, RequestBudget
from roadbed.core.errors import RoadbedError
from roadbed.core.outbound import Outbound, OutboundAnswer, OutboundRequest
from roadbed.integrations.github.types import Answer
from roadbed.kit.clock import now
from roadbed.kit.jsons import parse_json

API_VERSION = "2022-11-28"
MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""The largest trees have 100,000 entries."""
SLICE_SECONDS = 300
"""How long one client asks. A step may take ten minutes, and what it remembers is kept when it ends."""
_MAX_PAGES = 1000
_PAGE = 100
_ASKED = "asked:"
_RESERVE = 20
"""The last twentieth of the budget is left to others who use the same credential."""
_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=2)

Reduce = Callable[[Any], Any]


@dataclass
class Budget:
    """What is left of the requests of one credential, as the answers tell, which may overtake each other."""

    current: RequestBudget | None = None
    pause: ReadLater | None = None

    def note(self, headers: Mapping[str, str]) -> None:
        """Take what an answer tells; those of other resources than `core` tell nothing of ours."""
        if headers.get("x-ratelimit-resource", "core") != "core":
            return
        numbers = [headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
        if all(number.isdecimal() for number in numbers):
            limit, remaining, reset = map(int, numbers)
            resets_at = datetime.fromtimestamp(min(reset, 2**33), UTC)
            known = self.current
            if known is not None and (known.limit, known.resets_at) == (limit, resets_at):
                remaining = min(remaining, known.remaining)
            self.current = RequestBudget(limit, remaining, resets_at)

    def require(self) -> None:
        """Raise ReadLater when little is left, or when the host asked for a pause."""
        if self.pause is not None and self.pause.until > now():
            raise ReadLater(self.pause.reason, until=self.pause.until)
        budget = self.current
        if budget is not None and budget.remaining <= budget.limit // _RESERVE and budget.resets_at > now():
            reason = f"GitHub takes {budget.remaining:,} more of {budget.limit:,} requests until it counts anew."
            raise ReadLater(reason, until=min(budget.resets_at, now() + _LONGEST_PAUSE) + timedelta(seconds=1))


class GithubClient:
    """Requests with the credential of one location."""

    def __init__(
        self,
        outbound: Outbound,
        api_url: str,
        authorize: Callable[[], Awaitable[str | None]],
        *,
        memory: Memory,
        budget: Budget,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            outbound: what sends.
            api_url: of the host.
            authorize: returns the value of the header Authorization; asked before each request.
            memory: holds what addresses answered.
            budget: of the credential.
        """
        self._outbound = outbound
        self._api_url = api_url
        self._authorize = authorize
        self._memory = memory
        self._began = time.monotonic()
        self.budget = budget

    async def get(self, path: str, *, etag: str | None = None) -> Answer:
        """Ask for a path of the API. Statuses 404 and 409 are answers; other failures are raised.

        Raises:
            LocationUnreadable: GitHub cannot be reached, refuses, or answers what it should not.
            ReadLater: it wants no more requests for now.
        """
        self.budget.require()
        if time.monotonic() - self._began > SLICE_SECONDS:
            raise ReadLater("There is much to read; what was read so far is kept.", until=now())
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION}
        authorization = await self._authorize()
        if authorization is not None:
            headers["Authorization"] = authorization
        if etag is not None:
            headers["If-None-Match"] = etag
        return await self.send(
            OutboundRequest(f"{self._api_url}{path}", headers=headers, max_response_bytes=MAX_ANSWER_BYTES)
        )

    async def send(self, request: OutboundRequest) -> Answer:
        """Send a request of this API; raises as `get` does."""
        try:
            answer = await self._outbound.send(request)
        except RoadbedError as error:
            raise LocationUnreadable(error.message, hint=error.hint) from error
        self.budget.note(answer.headers)
        if answer.status == 304:
            return Answer(304, None, answer.headers)
        self.budget.pause = _find_pause(answer)
        if self.budget.pause is not None:
            raise self.budget.pause
        _check(request.url, answer)
        return Answer(answer.status, _read_body(request.url, answer), answer.headers)

    async def list_all(self, path: str, reduce: Reduce, **params: str) -> list[Any] | None:
        """Return the items of a paged list, each reduced to what is needed; None when the list is not there."""
        items: list[Any] = []
        address = f"{path}?{urlencode({**params, 'per_page': str(_PAGE)})}"
        for _ in range(_MAX_PAGES):
            page = await self.remember(address, lambda body: [reduce(item) for item in body])
            if page is None:
                return None
            items += page["kept"]
            if page["next"] is None:
                return items
            address = page["next"]
        raise LocationUnreadable(f"{path} has more than {_MAX_PAGES} pages.", hint="Choose less of it.")

    async def remember(self, address: str, reduce: Reduce) -> dict[str, Any] | None:
        """Return `kept`, the reduced answer, and `next`, the following page; None when there is nothing there.

        The answer of the last time is taken where GitHub says that it still holds.
        """
        key = _ASKED + address
        known = self._memory.find(key)
        answer = await self.get(address, etag=_find_etag(known))
        if answer.status == 304 and known is not None:
            return known
        if answer.status != 200:
            self._memory.forget(key)
            return None
        try:
            kept = reduce(answer.body)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise _strange(address) from error
        found = {"etag": answer.headers.get("etag"), "kept": kept, "next": self._find_next(answer.headers)}
        self._memory.put(key, found)
        return found

    def forget(self, is_gone: Callable[[str], bool]) -> None:
        """Forget the answers of addresses that are not asked for any more."""
        for key in self._memory.list_keys(_ASKED):
            if is_gone(key.removeprefix(_ASKED)):
                self._memory.forget(key)

    def _find_next(self, headers: Mapping[str, str]) -> str | None:
        """Return the path of the next page; an address of another host gets no token of ours."""
        for link in headers.get("link", "").split(","):
            address, _, relation = link.partition(";")
            address = address.strip().removeprefix("<").removesuffix(">")
            if relation.strip() == 'rel="next"' and address.startswith(f"{self._api_url}/"):
                return address.removeprefix(self._api_url)
        return None


def _find_etag(known: dict[str, Any] | None) -> str | None:
    """Return the ETag to ask with. A last page that is full is asked for anew: only its headers tell of a next one."""
    if known is None or (known["next"] is None and isinstance(known["kept"], list) and len(known["kept"]) >= _PAGE):
        return None
    etag: str | None = known["etag"]
    return etag


def _find_pause(answer: OutboundAnswer) -> ReadLater | None:
    """Return what GitHub asks for when there were too many requests, in all or in a short time."""
    headers = answer.headers
    is_used_up = headers.get("x-ratelimit-remaining") == "0"
    if answer.status == 429 or (answer.status == 403 and (is_used_up or "retry-after" in headers)):
        return ReadLater("GitHub wants fewer requests in a short time.", until=_find_end(headers))
    return None


def _check(url: str, answer: OutboundAnswer) -> None:
    """Raise unless an answer is one to go on with."""
    status = answer.status
    if answer.is_success or status in (404, 409):
        return
    if status in (401, 403):
        raise LocationUnreadable(
            f"GitHub refuses the credential: {_message(answer)}.",
            hint="Check the secret, its end, and what it may read: contents, metadata and members of the organisation.",
        )
    raise LocationUnreadable(f"{url} answers with status {status}.", hint="It will be tried again.")


def _find_end(headers: Mapping[str, str]) -> datetime:
    """Return when requests are taken again."""
    wait = headers.get("retry-after", "")
    reset = headers.get("x-ratelimit-reset", "")
    until = now() + _PAUSE
    if wait.isdecimal():
        until = now() + timedelta(seconds=min(int(wait), _LONGEST_PAUSE.total_seconds()))
    elif reset.isdecimal() and headers.get("x-ratelimit-remaining") == "0":
        until = datetime.fromtimestamp(min(int(reset), 2**33), UTC)
    return max(min(until, now() + _LONGEST_PAUSE), now() + timedelta(seconds=1))


def _message(answer: OutboundAnswer) -> str:
    try:
        message = parse_json(answer.body)["message"]
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status}"
    return str(message)[:200].rstrip(".")


def _read_body(url: str, answer: OutboundAnswer) -> Any:
    if answer.status not in (200, 201):
        return None
    try:
        return parse_json(answer.body)
    except ValueError as error:
        raise _strange(url) from error


def _strange(url: str) -> LocationUnreadable:
    return LocationUnreadable(f"{url} does not answer as GitHub does.", hint="Is the address that of a GitHub host?")
