"""The addresses of git repositories: which host they lead to, and when two of them mean the same repository."""

import re
from dataclasses import dataclass

_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}
_HOST = r"\[(?P<ip>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9][\w.-]*)"
_URL = re.compile(
    rf"(?P<scheme>https?|ssh|git)://(?:[\w.-]+@)?(?:{_HOST})(?::(?P<port>\d{{1,5}}))?/+(?P<path>[^\s#?]+)"
)
_SCP = re.compile(rf"[\w.-]+@(?:{_HOST}):(?!/*$)/*(?P<path>[^\s#?]+)")


@dataclass(frozen=True)
class GitAddress:
    """Where git connects to. `path` has no leading slash."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def key(self) -> str:
        """The same for all addresses of a repository: the host and the path, whatever the protocol and the ending."""
        return f"{self.host}/{self.path.rstrip('/').removesuffix('.git').rstrip('/')}".lower()


def read_address(url: str) -> GitAddress | None:
    """Return where a http(s), ssh or git address leads, also as `git@host:path`; None for anything else."""
    match = _URL.fullmatch(url) or _SCP.fullmatch(url)
    if match is None:
        return None
    found = match.groupdict()
    scheme = found.get("scheme") or "ssh"
    port = int(found.get("port") or _PORTS[scheme])
    return GitAddress(scheme, found["ip"] or found["host"], port, found["path"])
