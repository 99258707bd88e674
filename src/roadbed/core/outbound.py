"""Requests to addresses that users give: the only wrapper of httpx on the server, with a guard against SSRF.

An address is refused when any of the IP addresses its host has is not public, unless the setting
`outbound.allowed_hosts` names it. The connection then goes to the very address that was checked, so a name server
cannot answer differently the second time. Redirects are not followed by httpx but here, each checked anew.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from roadbed.core.errors import Invalid, Unavailable
from roadbed.core.settings import OutboundSettings

MAX_REDIRECTS = 3
USER_AGENT = "Roadbed"

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class InvalidUrl(Invalid):
    code = "outbound.invalid_url"


class AddressRefused(Invalid):
    """The address is private or otherwise not for the open network."""

    code = "outbound.address_refused"


class Unreachable(Unavailable):
    code = "outbound.unreachable"


class AnswerTooLarge(Unavailable):
    code = "outbound.answer_too_large"


@dataclass(frozen=True)
class OutboundRequest:
    """What to send where. `max_response_bytes` is for hosts that may answer more than the setting allows others."""

    url: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] | None = None
    max_redirects: int = 0
    max_response_bytes: int | None = None


@dataclass(frozen=True)
class OutboundAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Outbound:
    """Sends requests within the limits of the settings."""

    def __init__(self, settings: OutboundSettings) -> None:
        self._settings = settings
        self._allowed_names = frozenset(host.lower() for host in settings.allowed_hosts)
        self._allowed_networks = [
            network for host in settings.allowed_hosts if (network := _parse_network(host)) is not None
        ]
        self._client = httpx.AsyncClient(
            timeout=settings.timeout_seconds,
            follow_redirects=False,
            trust_env=False,  # a proxy from the environment would see and choose addresses that were not checked
            headers={"User-Agent": USER_AGENT},
        )

    async def send(self, request: OutboundRequest) -> OutboundAnswer:
        """Send `request` and return the answer, whatever its status.

        Raises:
            InvalidUrl, AddressRefused: it was not sent.
            Unreachable: nobody answered in time.
            AnswerTooLarge: the answer was cut off.
        """
        url = check_url(request.url)
        for _ in range(min(request.max_redirects, MAX_REDIRECTS) + 1):
            answer = await self._send_once(url, request)
            location = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or location is None or request.max_redirects == 0:
                return answer
            url = check_url(urljoin(str(url), location))
        raise Unreachable(f"{request.url} redirects too often.", hint="Give the address it leads to.")

    async def check(self, url: str) -> None:
        """Raise when nothing may be sent to `url`, as of now."""
        parsed = check_url(url)
        await self.resolve(parsed.host, _port_of(parsed))

    def allows_by_name(self, host: str) -> bool:
        """Tell whether the settings name `host` itself, so that it may be at any address."""
        return host.lower() in self._allowed_names

    async def _send_once(self, url: httpx.URL, request: OutboundRequest) -> OutboundAnswer:
        address = await self.resolve(url.host, _port_of(url))
        headers = {**(request.headers or {}), "Host": url.netloc.decode()}
        pinned = url.copy_with(host=str(address))
        extensions = {"sni_hostname": url.host} if url.scheme == "https" else {}
        built = self._client.build_request(
            request.method, pinned, content=request.body or None, headers=headers, extensions=extensions
        )
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                answer = await self._client.send(built, stream=True)
                try:
                    body = await self._read(answer, url, request.max_response_bytes)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise Unreachable(f"{url.host} could not be reached: {reason}.", hint="Is the address right?") from error
        return OutboundAnswer(answer.status_code, dict(answer.headers), body)

    async def _read(self, answer: httpx.Response, url: httpx.URL, limit_bytes: int | None) -> bytes:
        limit = max(limit_bytes or 0, self._settings.max_response_bytes)
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > limit:
                raise AnswerTooLarge(
                    f"{url.host} answered with more than {limit:,} bytes.",
                    hint="Raise ROADBED_OUTBOUND__MAX_RESPONSE_BYTES.",
                )
        return bytes(body)

    async def resolve(self, host: str, port: int) -> IpAddress:
        """Return the address to connect to, after all addresses of the host were found to be allowed.

        Raises:
            AddressRefused: one is not.
            Unreachable: there is no such host.
        """
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise Unreachable(f"There is no host {host}.", hint="Is the name spelt right?") from error
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        if not self.allows_by_name(host):
            self._check_addresses(host, addresses)
        return addresses[0]

    def _check_addresses(self, host: str, addresses: Sequence[IpAddress]) -> None:
        for address in addresses:
            mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
            plain = mapped or address
            is_allowed = any(plain in network for network in self._allowed_networks)
            if not is_allowed and not is_public(plain):
                raise AddressRefused(
                    f"{host} is at {plain}, which is not a public address, so nothing was sent there.",
                    hint="An admin can allow it with ROADBED_OUTBOUND__ALLOWED_HOSTS.",
                )

    async def close(self) -> None:
        await self._client.aclose()


def is_public(address: IpAddress) -> bool:
    """Tell whether `address` belongs to the open network: no private, loopback, link-local or multicast one."""
    if isinstance(address, ipaddress.IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if embedded is not None:
            return is_public(embedded)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_url(url: str) -> httpx.URL:
    """Return `url` when it is a complete http(s) address without credentials in it.

    Raises:
        InvalidUrl: with what it should look like.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidUrl(f"{url[:200]!r} is not an address: {error}.", hint=_URL_HINT) from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise InvalidUrl(f"{url[:200]!r} cannot be called.", hint=_URL_HINT)
    return parsed


def _port_of(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


_URL_HINT = "Give a whole address without user and password: `https://ci.example.com/hook`."
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None  # a host name; those are compared as such
