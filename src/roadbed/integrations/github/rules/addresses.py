"""Addresses of a host: its API, and where people see files."""

import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from roadbed.integrations.github.types import Organisation

PUBLIC_HOST = "github.com"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?|[A-Za-z0-9-]+_[A-Za-z0-9]+")
_RESIDENCY = ".ghe.com"


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
