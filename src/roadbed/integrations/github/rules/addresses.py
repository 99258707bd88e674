"""Addresses of a host: its API, and where people see files."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit

from roadbed.integrations.github.types import Organisation

PUBLIC_HOST = "github.com"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?|[A-Za-z0-9-]+_[A-Za-z0-9]+")
_RESIDENCY = ".ghe.com"
_FILE = re.compile(r"/([A-Za-z0-9_-]{1,100})/([A-Za-z0-9._-]{1,100})/(?:blob|raw|tree)/([^/]{1,250})/(.{1,1000})")


class NoOrganisation(ValueError):
    """An address that leads to no organisation; the message says why."""


def read_organisation(text: str) -> Organisation:
    """Read the address of an organisation, or its plain name on github.com.

    Raises:
        NoOrganisation: it is none, or its host would be sent a token in clear.
    """
    text = text.strip().rstrip("/")
    address = text if "://" in text else f"https://{PUBLIC_HOST}/{text}"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise NoOrganisation(f"{text[:200]!r} is not an address") from error
    name = parts.path.strip("/")
    if not host or parts.username or parts.query or parts.fragment or not _NAME.fullmatch(name):
        raise NoOrganisation(f"{text[:200]!r} is not the address of an organisation")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise NoOrganisation("its address must begin with https://, because a token is sent there")
    host_url = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    return Organisation(host_url, _find_api(host_url, host), name)


@dataclass(frozen=True)
class FileAddress:
    """Where a file is: `owner/repository`, branch, path."""

    owner: str
    repository: str
    branch: str
    path: str


def read_file_address(organisation: Organisation, text: str) -> FileAddress | None:
    """Return the file that an address on the host of an organisation leads to; None for anything else.

    Addresses are written as the host shows them, `…/owner/name/blob/BRANCH/PATH`; a branch with a slash has it as %2F.
    """
    url = text.strip().partition("?")[0].partition("#")[0]
    if not url.lower().startswith(f"{organisation.host_url}/".lower()):
        return None
    match = _FILE.fullmatch(url[len(organisation.host_url) :])
    if match is None:
        return None
    branch, path = unquote(match[3]), unquote(match[4])
    is_plain = all(part not in ("", ".", "..") for part in path.split("/")) and path.isprintable()
    return FileAddress(match[1], match[2], branch, path) if is_plain and branch.isprintable() else None


def link_file(organisation: Organisation, repository: str, branch: str | None, path: str, line: int) -> str:
    """Return where people see a line of a file; `HEAD` stands for the default branch."""
    place = f"{organisation.url}/{quote(repository)}/blob/{quote(branch or 'HEAD')}/{quote(path)}"
    return f"{place}#L{line}" if line else place


def _find_api(host_url: str, host: str) -> str:
    if host == PUBLIC_HOST:
        return f"https://api.{PUBLIC_HOST}"
    return f"https://api.{host}" if host.endswith(_RESIDENCY) else f"{host_url}/api/v3"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
