"""What settings are made of: sections, and values beyond plain text: lists, networks, addresses, keys."""

import base64
import binascii
import ipaddress
import json
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr
from pydantic_settings import NoDecode

KEY_BYTES = 32


class Section(BaseModel):
    """A part of the tree of settings; it refuses names that it does not have."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _split(value: Any) -> Any:
    """Read a list as it stands in a variable: JSON, or words between commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [word for part in value.split(",") if (word := part.strip())]


def _check_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("must be an address without a path, such as https://roadbed.example.com")
    return value.rstrip("/")


def _check_web_address(value: str) -> str:
    parts = urlsplit(value)
    is_plain = parts.hostname and parts.port != 0 and not (parts.username or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not is_plain:
        raise ValueError("must be the address of a website, such as https://grafana.example.com")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be written in plain characters, without spaces")
    return value.rstrip("/")


def _check_network(value: str) -> str:
    ipaddress.ip_network(value, strict=False)
    return value


def _check_host(value: str) -> str:
    """Accept a host name or an address; what has a slash is a network."""
    return _check_network(value) if "/" in value else value


def _check_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip().translate(str.maketrans("-_", "+/"))
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        size = 0
    if size != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} bytes in base64, as `openssl rand -base64 {KEY_BYTES}` makes them")
    return value


_AsList = BeforeValidator(_split)
SecretKey = Annotated[SecretStr, AfterValidator(_check_key)]
Address = Annotated[str, AfterValidator(_check_address)]
WebAddress = Annotated[str, AfterValidator(_check_web_address)]
Words = Annotated[list[str], NoDecode, _AsList]
Networks = Annotated[list[Annotated[str, AfterValidator(_check_network)]], NoDecode, _AsList]
Hosts = Annotated[list[Annotated[str, AfterValidator(_check_host)]], NoDecode, _AsList]
SecretKeys = Annotated[list[SecretKey], NoDecode, _AsList]
