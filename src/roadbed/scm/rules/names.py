"""Names of repositories, branches and files."""

import re

from roadbed.scm.errors import InvalidName, InvalidPath

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")
_RESERVED_NAMES = frozenset({"new", "import"})  # pages stand at these addresses
_RESERVED_ENDINGS = (".git", ".lock", ".wiki", ".atom")
# What `git check-ref-format` refuses, and what a person would not see.
_BAD_IN_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|^[-./]|/$|^@$|^HEAD$")
_SHA = re.compile(r"[0-9a-f]{40}")
MAX_PATH_BYTES = 4096


def check_slug(text: str, *, noun: str) -> str:
    """Return `text` when it can be an owner or a repository's name.

    Args:
        text: the name.
        noun: what it is, for the message: "owner", "name".

    Raises:
        InvalidName: with what it should look like.
    """
    is_sound = bool(_SLUG.fullmatch(text)) and ".." not in text and not text.endswith(_RESERVED_ENDINGS)
    if not is_sound or text in _RESERVED_NAMES:
        raise InvalidName(
            f"{text[:80]!r} cannot be the {noun} of a repository.",
            hint="Use 1 to 63 lower-case letters, digits, dashes, dots or underscores, beginning and ending with a "
            "letter or digit, and not ending in .git, .lock, .wiki or .atom: `orders-api`.",
        )
    return text


def check_branch(text: str) -> str:
    """Return `text` when it can be a branch.

    Raises:
        InvalidName: git or a reader would trip over it.
    """
    if not text or len(text.encode()) > 200 or _BAD_IN_BRANCH.search(text) or is_commit_id(text):
        raise InvalidName(
            f"{text[:80]!r} cannot be a branch.",
            hint="Use letters, digits, dashes, dots and slashes: `feature/refunds`.",
        )
    return text


def check_file_path(path: str) -> str:
    """Return `path` when a file can be written there.

    Raises:
        InvalidPath: it is absolute, leaves the repository, or git keeps such files for itself.
    """
    parts = path.split("/")
    is_sound = (
        0 < len(path.encode()) <= MAX_PATH_BYTES
        and not any(part in ("", ".", "..") for part in parts)
        and not any(_is_git_folder(part) for part in parts)
        and not any(character < " " or character == "\x7f" for character in path)
    )
    if not is_sound:
        raise InvalidPath(
            f"{path[:200]!r} cannot be the path of a file in a repository.",
            hint="Use a relative path without `.`, `..`, `.git` and control characters: `src/main.py`.",
        )
    return path


def is_commit_id(text: str) -> bool:
    return bool(_SHA.fullmatch(text))


def branch_ref(branch: str) -> str:
    return f"refs/heads/{branch}"


def _is_git_folder(part: str) -> bool:
    """Tell whether a checkout somewhere would take `part` for `.git` (as git's own verify_path does)."""
    plain = part.lower().rstrip(". ")
    return plain in (".git", "git~1") or plain.startswith(".git:")
