"""Where a commit or a file of a location is seen: on Roadbed's own host, or at one that is known by its name."""

import re
from urllib.parse import quote

from roadbed.catalog.rules.targets import GitTarget, TargetError, parse_git_target
from roadbed.scm.contract import read_address

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_PLACES = (
    (("github",), "commit", "blob", "L"),
    (("gitlab",), "-/commit", "-/blob", "L"),
    (("gitea", "forgejo", "codeberg"), "commit", "src/commit", "L"),
    (("bitbucket",), "commits", "src", "lines-"),
)
"""Words of a host's name, where it shows commits, where files, and how it names a line."""


def find_commit_href(*, type_: str, target: str, revision: str | None) -> str | None:
    """Return the address of a commit, or None where there is no page of it that is known."""
    git = _read_target(type_, target, revision)
    if git is None:
        return None
    if git.own_repository is not None:
        owner, name = git.own_repository
        return f"/repositories/{owner}/{name}/commits/{revision}"
    found = _find_place(git)
    return f"{found[0]}/{found[1][1]}/{revision}" if found else None


def find_file_href(*, type_: str, target: str, revision: str | None, path: str, line: int) -> str | None:
    """Return the address of a line of a file in a commit, or None where there is no page of it that is known."""
    git = _read_target(type_, target, revision)
    if git is None or revision is None:
        return None
    if git.own_repository is not None:
        owner, name = git.own_repository
        return f"/repositories/{owner}/{name}/file/{quote(path)}?at={quote(git.branch or revision)}#L{line}"
    found = _find_place(git)
    return f"{found[0]}/{found[1][2]}/{revision}/{quote(path)}#{found[1][3]}{line}" if found else None


def _read_target(type_: str, target: str, revision: str | None) -> GitTarget | None:
    """Return the target of a git location that was read at a commit."""
    if type_ != "git" or revision is None or not _COMMIT.fullmatch(revision):
        return None
    try:
        return parse_git_target(target)
    except TargetError:
        return None


def _find_place(git: GitTarget) -> tuple[str, tuple[tuple[str, ...], str, str, str]] | None:
    """Return the address of a repository's page, and how its host is asked."""
    address = read_address(git.url)
    if address is None:
        return None
    place = next((place for place in _PLACES if any(word in address.host.lower() for word in place[0])), None)
    if place is None:
        return None
    scheme = "http" if address.scheme == "http" else "https"
    port = f":{address.port}" if address.scheme in ("http", "https") and address.port not in (80, 443) else ""
    return f"{scheme}://{address.host}{port}/{address.path.rstrip('/').removesuffix('.git')}", place
