"""Requests to processes that Roadbed itself started on this machine: probes, and what is passed on to workloads.

Unlike `core.outbound`, the caller names a port and never an address, so there is nothing to guard against.
"""

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx

from roadbed.core.errors import Unavailable

Headers = Sequence[tuple[bytes, bytes]]


class LoopbackFailed(Unavailable):
    """Nobody answers on the port, or not in HTTP."""

    code = "loopback.failed"


@dataclass(frozen=True)
class LoopbackRequest:
    """What to send to a port. `target` is the path with its query, as it stands in a request line."""

    port: int
    target: bytes
    method: str = "GET"
    headers: Headers = ()
    body: AsyncIterable[bytes] | None = None


@dataclass
class LoopbackAnswer:
    """An answer whose body is still to come. Close it."""

    status: int
    headers: Headers
    _response: httpx.Response = field(repr=False)

    async def body(self) -> AsyncIterator[bytes]:
        """Give the body as it was sent, piece by piece.

        Raises:
            LoopbackFailed: it broke off.
        """
        try:
            async for piece in self._response.aiter_raw():
                yield piece
        except httpx.HTTPError as error:
            raise LoopbackFailed(f"The answer broke off: {error}.") from error

    async def close(self) -> None:
        await self._response.aclose()


class Loopback:
    """Sends requests to 127.0.0.1."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        # Nothing is asked over TLS, and reading the authorities that would be trusted takes a start 50 ms.
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits, verify=nobody)

    async def send(self, request: LoopbackRequest, *, timeout_seconds: float | None) -> LoopbackAnswer:
        """Send `request` and return the head of its answer.

        Raises:
            LoopbackFailed: with the reason.
        """
        url = httpx.URL(scheme="http", host="127.0.0.1", port=request.port, raw_path=request.target)
        built = httpx.Request(
            request.method,
            url,
            headers=list(request.headers),
            content=request.body,
            extensions={"timeout": httpx.Timeout(timeout_seconds, connect=5).as_dict()},
        )
        try:
            response = await self._client.send(built, stream=True)
        except (httpx.HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise LoopbackFailed(f"Port {request.port} does not answer: {reason}.") from error
        return LoopbackAnswer(response.status_code, response.headers.raw, response)

    async def close(self) -> None:
        await self._client.aclose()
