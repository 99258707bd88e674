"""Where the annotations of an entity lead: `backstage.io/techdocs-ref` and `roadbed.dev/runbook`."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from roadbed.docs.rules.paths import join
from roadbed.scm.contract import read_address

_OWN = re.compile(r"roadbed:([\w.-]+)/([\w.-]+?)(?:\.git)?(?:#([^:]*)(?::(.*))?)?")
_OWN_PAGE = re.compile(r"(?:.*/)?repositories/([\w.-]+)/([\w.-]+)(?:/(?:tree|file)/?(.*))?")
_OWN_GIT = re.compile(r"(?:.*/)?git/([\w.-]+)/([\w.-]+?)(?:\.git)?")
_ELSEWHERE = re.compile(r"(?:\.git)?/?(?:(?:/-)?/(?:tree|blob|src/branch|src)/([^/]+)/?(.*))?")
_DEFAULT_NAMES = frozenset({"HEAD", "main", "master"})


class RefError(ValueError):
    """An annotation that leads nowhere; the message says why, `hint` what to write."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.hint = hint


@dataclass(frozen=True)
class DirRef:
    """A folder beside the file that declares the entity."""

    path: str


@dataclass(frozen=True)
class UrlRef:
    """An address: of a repository, with a branch and a folder in it."""

    url: str


@dataclass(frozen=True)
class OwnPlace:
    """A folder of a repository of the built-in host."""

    owner: str
    name: str
    branch: str | None
    folder: str


def read_ref(text: str) -> DirRef | UrlRef:
    """Read the value of `backstage.io/techdocs-ref`.

    Raises:
        RefError: it is neither `dir:` nor `url:`.
    """
    kind, colon, rest = text.strip().partition(":")
    rest = rest.strip()
    if colon and kind == "dir" and rest:
        return DirRef(rest)
    if colon and kind == "url" and rest:
        return UrlRef(rest)
    raise RefError(f"{text[:100]!r} leads nowhere.", "Write dir:. for the folder of the file, or url: and an address.")


def find_folder(ref: DirRef, file: str) -> str:
    """Return the folder that `dir:` names in a catalog file.

    Raises:
        RefError: it leaves the repository.
    """
    if ref.path.startswith("/"):
        raise RefError(f"dir:{ref.path[:100]} is not relative.", "Write it as seen from the catalog file: dir:./docs")
    found = join(file.rpartition("/")[0], ref.path)
    if found is None:
        raise RefError(f"dir:{ref.path[:100]} leads out of the repository.", "Name a folder in it: dir:. or dir:./docs")
    return found


def find_own_place(url: str, base_url: str) -> OwnPlace | None:
    """Return the place in a repository of the built-in host that an address names; None when it is elsewhere.

    Args:
        url: `roadbed:owner/name#branch:folder`, the address of a repository's page or folder, or that of its clone.
        base_url: the address of this Roadbed.
    """
    match = _OWN.fullmatch(url)
    if match is not None:
        return OwnPlace(match[1], match[2], match[3] or None, join("", match[4] or "") or "")
    try:
        parts, own = urlsplit(url), urlsplit(base_url)
    except ValueError:
        return None
    if parts.netloc.lower() != own.netloc.lower():
        return None
    path = unquote(parts.path).strip("/")
    match = _OWN_PAGE.fullmatch(path)
    if match is not None:
        branch = parse_qs(parts.query).get("at", [None])[0]
        return OwnPlace(match[1], match[2], branch, join("", match[3] or "") or "")
    match = _OWN_GIT.fullmatch(path)
    return OwnPlace(match[1], match[2], None, "") if match else None


def find_place_elsewhere(url: str, *, repository_url: str, branch: str | None) -> str:
    """Return the folder that an address names in the repository an entity was read from.

    Args:
        url: `https://host/owner/name/tree/branch/folder`, as the common hosts write it.
        repository_url: of the repository.
        branch: what is read of it; None for its default branch.

    Raises:
        RefError: it is another repository, or another branch.
    """
    wanted, known = read_address(url.rstrip("/")), read_address(repository_url)
    if wanted is None or known is None or not f"{wanted.key}/".startswith(f"{known.key}/"):
        raise RefError(
            "It leads to a repository that this entity is not read from.",
            "Roadbed reads its own repositories, and the one that declares the entity.",
        )
    start = len(known.path.rstrip("/").removesuffix(".git").rstrip("/"))
    match = _ELSEWHERE.fullmatch(wanted.path[start:])
    if match is None:
        raise RefError("It leads to no folder of the repository.", "Write …/tree/BRANCH/FOLDER.")
    named = match[1]
    if named is not None and named != branch and not (branch is None and named in _DEFAULT_NAMES):
        reads = f"branch {branch}" if branch else "the default branch"
        raise RefError(
            f"It names branch {named}, and the location reads {reads}.",
            "Name that branch, or register the location with it: URL#BRANCH",
        )
    return join("", unquote(match[2] or "")) or ""


def find_runbook(value: str) -> tuple[str | None, str | None]:
    """Return the page in the documentation that `roadbed.dev/runbook` names, or its address elsewhere."""
    text = value.strip()
    if text.lower().startswith(("https://", "http://")):
        return None, text
    return join("", text.partition("#")[0]), None
