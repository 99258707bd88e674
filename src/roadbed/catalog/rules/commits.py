"""Where a commit of a location is seen: on Roadbed's own host, or at one that is known by its name."""

import re

from roadbed.catalog.rules.targets import TargetError, parse_git_target
from roadbed.scm.contract import read_address

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_PLACES = (
    (("github",), "commit"),
    (("gitlab",), "-/commit"),
    (("gitea", "forgejo", "codeberg"), "commit"),
    (("bitbucket",), "commits"),
)
"""Words of a host's name, and where it shows commits."""


def find_commit_href(*, type_: str, target: str, revision: str | None) -> str | None:
    """Return the address of a commit, or None where there is no page of it that is known."""
    if type_ != "git" or revision is None or not _COMMIT.fullmatch(revision):
        return None
    try:
        git = parse_git_target(target)
    except TargetError:
        return None
    if git.own_repository is not None:
        owner, name = git.own_repository
        return f"/repositories/{owner}/{name}/commits/{revision}"
    address = read_address(git.url)
    if address is None:
        return None
    place = next((place for words, place in _PLACES if any(word in address.host.lower() for word in words)), None)
    if place is None:
        return None
    scheme = "http" if address.scheme == "http" else "https"
    port = f":{address.port}" if address.scheme in ("http", "https") and address.port not in (80, 443) else ""
    path = address.path.rstrip("/").removesuffix(".git")
    return f"{scheme}://{address.host}{port}/{path}/{place}/{revision}"
