"""Where a location leads: globs over paths, git targets, and the targets that Location entities name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from posixpath import normpath
from typing import Any

from roadbed.catalog.rules.harvest import ReadEntity

DEFAULT_FILE = "catalog-info.yaml"
ELSEWHERE = "@elsewhere/"
"""Begin of the paths of files that a location has of other repositories: then owner, name, branch and path there."""
_ROOT_PARTS = 4
_WILD = re.compile(r"[*?\[]")
_ABSOLUTE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")
_HOST = r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9][\w.-]*)(?::\d+)?"
_GIT_URL = re.compile(
    rf"https?://{_HOST}/[^\s#]+|(?:ssh|git)://(?:\w[\w.-]*@)?{_HOST}/[^\s#]+|file:///[^\s#]+|\w[\w.-]*@{_HOST}:[^\s#]+"
)


_OWN = re.compile(r"roadbed:([\w.-]+)/([\w.-]+)")
_OWN_URL = re.compile(r"https?://[^/]+/(?:[^#]*/)?git/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")


class TargetError(ValueError):
    """A target that cannot be followed; the message says why."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


@dataclass(frozen=True)
class GitTarget:
    """`url[#branch[:path]]`: a repository, a branch (its default one when absent), a file or glob in it.

    Repositories of Roadbed's own host are `roadbed:owner/name`, which stays true when its address changes.
    """

    url: str
    branch: str | None
    path: str

    @property
    def is_local(self) -> bool:
        return self.url.startswith("file://")

    @property
    def own_repository(self) -> tuple[str, str] | None:
        """Owner and name, when it is a repository of Roadbed's own host."""
        match = _OWN.fullmatch(self.url)
        return (match[1], match[2]) if match else None


@dataclass(frozen=True)
class Target:
    """What a Location entity names, with the entity and its place, for problems."""

    text: str
    is_optional: bool
    ref: str
    file: str
    line: int


def parse_git_target(target: str) -> GitTarget:
    """Read the target of a location of type git.

    Raises:
        TargetError: it is no address that git can fetch from.
    """
    url, _, rest = target.partition("#")
    branch, _, path = rest.partition(":")
    if re.match(r"https?://[^/]*@", url):
        raise TargetError("its address holds a name or password, which everybody who sees the location could read")
    if not (_GIT_URL.fullmatch(url) or _OWN.fullmatch(url)):
        raise TargetError(
            f"{url!r} is not the address of a git repository, such as https://example.com/shop/orders.git"
        )
    if branch and not re.fullmatch(r"[A-Za-z0-9][\w./+-]*", branch):
        raise TargetError(f"{branch!r} is not the name of a branch")
    return GitTarget(url, branch or None, resolve("", path or DEFAULT_FILE))


def find_own_url(url: str) -> tuple[str, str] | None:
    """Return owner and name if an address looks like one of Roadbed's own git host; whether it is, the host knows."""
    match = _OWN_URL.fullmatch(url)
    return (match[1], match[2]) if match else None


def resolve(base: str, target: str) -> str:
    """Return the path within the location that `target`, named in the file `base`, leads to.

    Raises:
        TargetError: it is an address, or leads outside.
    """
    if _ABSOLUTE.match(target):
        raise TargetError("addresses are not followed", "Register it as a location of its own.")
    folder, root = base.rpartition("/")[0], _root_of(base)
    if target.startswith("/"):
        folder = root
    path = normpath(f"{folder}/{target.lstrip('/')}" if folder else target.lstrip("/"))
    if path == ".." or path.startswith("../") or path == ".":
        raise TargetError(
            "it leads outside the folder of the location", "Register that folder as a location of its own."
        )
    if _root_of(path) != root:
        raise TargetError("it leads into another repository", "Name it by its address, in a Location entity.")
    return path


def _root_of(path: str) -> str:
    """Return where the files of a path's own repository begin, for a file of another repository."""
    return "/".join(path.split("/")[:_ROOT_PARTS]) if path.startswith(ELSEWHERE) else ""


def is_glob(path: str) -> bool:
    return _WILD.search(path) is not None


def match_glob(pattern: str, paths: Iterable[str]) -> list[str]:
    """Return the paths that match, sorted. `**` stands for any folders; hidden ones are named to be matched."""
    compiled = re.compile(_translate(pattern))
    return sorted(path for path in paths if compiled.fullmatch(path))


def fixed_folder(pattern: str) -> str:
    """Return the folder above the first wildcard of a path."""
    match = _WILD.search(pattern)
    return pattern[: match.start()].rpartition("/")[0] if match else pattern.rpartition("/")[0]


def targets_of(entity: ReadEntity) -> Iterator[Target]:
    """Yield what a Location entity names; nothing for other kinds."""
    if entity.ref.kind == "Location":
        yield from targets_of_document(str(entity.ref), entity.document, entity.file, entity.line)


def targets_of_document(ref: str, document: dict[str, Any], file: str, line: int) -> Iterator[Target]:
    if document["kind"] != "Location":
        return
    spec = document["spec"]
    texts = [spec["target"]] if spec.get("target") else []
    for text in [*texts, *spec.get("targets", ())]:
        yield Target(text, spec.get("presence") == "optional", ref, file, line)


def _translate(pattern: str) -> str:
    text, index = "", 0
    while index < len(pattern):
        if pattern.startswith("**/", index):
            text, index = text + r"(?:[^/.][^/]*/)*", index + 3
        elif pattern.startswith("**", index):
            text, index = text + r".*", index + 2
        elif pattern[index] == "*":
            is_first = index == 0 or pattern[index - 1] == "/"
            text, index = text + (r"(?!\.)[^/]*" if is_first else r"[^/]*"), index + 1
        elif pattern[index] == "?":
            text, index = text + r"[^/]", index + 1
        elif pattern[index] == "[" and "]" in pattern[index + 2 :]:
            end = pattern.index("]", index + 2)
            inner = pattern[index + 1 : end].replace("\\", r"\\").replace("[", r"\[")
            text, index = text + ("[^" + inner[1:] if inner[0] in "!^" else "[" + inner) + "]", end + 1
        else:
            text, index = text + re.escape(pattern[index]), index + 1
    return text
