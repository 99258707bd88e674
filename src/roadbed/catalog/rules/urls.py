"""Whether a text parses as an absolute URL by the WHATWG URL standard, which is what Backstage asks of links."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote

_SPECIAL_SCHEMES = frozenset({"http", "https", "ws", "wss", "ftp"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_ORDINARY = re.compile(r"https?://(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::[0-9]{1,4})?(?:[/?#].*)?", re.DOTALL)
"""Most URLs: a name that ends in a word, nothing before it."""
_TRIMMED = "".join(map(chr, range(0x21)))
_FORBIDDEN_IN_HOST = frozenset("\0\t\n\r #/:<>?@[\\]^|")
_FORBIDDEN_IN_DOMAIN = _FORBIDDEN_IN_HOST | {"%", "\x7f"} | set(map(chr, range(0x20)))


def is_url(text: str) -> bool:
    """Tell whether `new URL(text)` would succeed without a base."""
    if _ORDINARY.fullmatch(text):
        return True
    match = _SCHEME.fullmatch(re.sub(r"[\t\n\r]", "", text.strip(_TRIMMED)))
    if match is None:
        return False
    scheme, rest = match[1].lower(), match[2]
    if scheme in _SPECIAL_SCHEMES:
        authority = re.split(r"[/\\?#]", rest.lstrip("/\\"), maxsplit=1)[0]
        return _is_authority(authority, is_special=True)
    if scheme == "file":
        authority = re.split(r"[/\\?#]", rest[2:], maxsplit=1)[0] if re.match(r"[/\\]{2}", rest) else ""
        return (
            not authority
            or re.fullmatch(r"[A-Za-z][:|]", authority) is not None
            or _is_host(authority, is_special=True)
        )
    if rest.startswith("//"):
        return _is_authority(re.split(r"[/?#]", rest[2:], maxsplit=1)[0], is_special=False)
    return True


@lru_cache(maxsize=1024)
def _is_authority(authority: str, *, is_special: bool) -> bool:
    credentials, at, place = authority.rpartition("@")
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", place)
    if match is None:
        return False
    host, port = match[1], match[2]
    if port and (len(port.lstrip("0")) > 5 or int(port) > 65535):
        return False
    if not host:
        return not is_special and not at and not credentials and port is None
    return _is_host(host, is_special=is_special)


def _is_host(host: str, *, is_special: bool) -> bool:
    if host.startswith("["):
        try:
            IPv6Address(host[1:-1] if host.endswith("]") and "%" not in host else "")
        except AddressValueError:
            return False
        return True
    if not is_special:
        return not _FORBIDDEN_IN_HOST & set(host)
    domain = unquote(host).lower()
    if not domain or _FORBIDDEN_IN_DOMAIN & set(domain):
        return False
    last = domain.removesuffix(".").rpartition(".")[2]
    return _is_ipv4(domain.removesuffix(".")) if _is_number(last) else True


def _is_number(part: str) -> bool:
    return re.fullmatch(r"[0-9]+|0x[0-9a-f]*", part) is not None


def _is_ipv4(domain: str) -> bool:
    """Tell whether a domain whose last label is a number is an IPv4 address, in any of its old spellings."""
    parts = domain.split(".")
    if len(parts) > 4:
        return False
    values = []
    for part in parts:
        try:
            values.append(_ipv4_number(part))
        except ValueError:
            return False
    return all(value <= 255 for value in values[:-1]) and values[-1] < 256 ** (5 - len(values))


def _ipv4_number(part: str) -> int:
    if not part:
        raise ValueError("empty label")
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part.startswith("0") else int(part)
