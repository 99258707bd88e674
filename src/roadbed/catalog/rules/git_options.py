"""What a location of type `git` may ask for beside its target: the credential with which its repository is fetched."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

_USUAL_NAME = "x-access-token"
"""The name that GitHub wants beside a token; GitLab, Gitea and Forgejo take any."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "token": {
            "type": "string",
            "pattern": "^secret://[a-z0-9]",
            "maxLength": 410,
            "title": "Token or password",
            "description": "Reference of a secret that holds one which may read the repository. Empty: it is public.",
            "ui:placeholder": "secret://integrations/git",
        },
        "username": {
            "type": "string",
            "pattern": r"^[^\s:\x00-\x1f\x7f]*$",
            "maxLength": 200,
            "title": "User name",
            "description": f"Whose token or password it is. Empty: {_USUAL_NAME}, which does for tokens.",
        },
    },
}


@dataclass(frozen=True)
class GitCredential:
    """A user name, and the reference of the secret that holds the token or password."""

    username: str
    reference: str


def read_credential(options: Mapping[str, Any]) -> GitCredential | None:
    """Return the credential of checked options; None when there is none. Empty texts of a form are none."""
    reference = options.get("token")
    return GitCredential(options.get("username") or _USUAL_NAME, reference) if reference else None


def find_fault(url: str, options: Mapping[str, Any]) -> str | None:
    """Return what is wrong with options for the repository at an address, as a sentence."""
    if read_credential(options) is None:
        return "A user name is given without a token." if options.get("username") else None
    return None if _is_private(url) else "A token is sent to addresses that begin with https:// only."


def write_settings(url: str, credential: GitCredential, value: str) -> dict[str, str]:
    """Return the settings with which git sends a credential, to the host of an address and to no other.

    They are for git's environment: what stands among the arguments of a process everybody on the machine can read.
    """
    parts = urlsplit(url)
    told = base64.b64encode(f"{credential.username}:{value}".encode()).decode()
    return {f"http.{parts.scheme}://{parts.netloc}/.extraHeader": f"Authorization: Basic {told}"}


def list_traces(credential: GitCredential, value: str) -> tuple[str, ...]:
    """Return the forms in which a credential is sent, to be masked wherever they would be shown."""
    return (value, base64.b64encode(f"{credential.username}:{value}".encode()).decode())


def _is_private(url: str) -> bool:
    """Tell whether nobody between here and there can read what is sent."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
