"""The formats in which git takes and gives commits, trees and file contents."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from roadbed.core.actor import Actor
from roadbed.kit.text import slugify
from roadbed.scm.types import Author, Commit, FileContent, TreeEntry

COMMIT_FORMAT = "%H%x1f%P%x1f%an%x1f%ae%x1f%at%x1f%s%x1f%b"
"""For `git log -z --format=…`; read by `parse_commits`."""

_COMMITTER = Author("Roadbed", "roadbed@localhost")
_NOT_IN_IDENTS = re.compile(r"[\x00-\x1f\x7f<>]+")


def author_of(actor: Actor) -> Author:
    """Return the author of what `actor` does on a page or through the API."""
    return Author(actor.name, f"{slugify(actor.name) or 'unknown'}@users.localhost")


def parse_commits(output: str) -> list[Commit]:
    """Read what `git log -z` gives in `COMMIT_FORMAT`."""
    commits = []
    for record in output.split("\0"):
        fields = record.lstrip("\n").split("\x1f", 6)
        if len(fields) == 7:
            sha, parents, name, email, seconds, subject, body = fields
            at = datetime.fromtimestamp(int(seconds), UTC)
            author = Author(name, email)
            commits.append(Commit(sha, tuple(parents.split()), author, at, subject, body.strip()))
    return commits


def parse_tree(output: str, *, folder: str) -> list[TreeEntry]:
    """Read what `git ls-tree -lz` gives, folders first."""
    prefix = f"{folder}/" if folder else ""
    entries = []
    for record in output.split("\0"):
        if record:
            head, _, path = record.partition("\t")
            mode, kind, sha, size = head.split()
            entries.append(TreeEntry(prefix + path, kind, sha, mode, None if size == "-" else int(size)))
    return sorted(entries, key=lambda entry: (not entry.is_folder, entry.name.lower()))


def parse_changed_paths(output: str) -> Iterator[Commit | str]:
    """Read `git log -z --name-only` with a record separator before each commit: each commit, then its paths."""
    for record in output.split("\x1e"):
        head, *paths = record.split("\0")
        yield from parse_commits(head)
        for path in paths:
            if name := path.strip("\n"):
                yield name


def import_stream(
    ref: str,
    *,
    files: Iterable[tuple[str, FileContent]],
    deleted: Iterable[str],
    parent: str | None,
    is_whole: bool,
    head: bytes,
) -> bytes:
    """Return the input for `git fast-import` that makes one commit on `ref`.

    Args:
        ref: where the commit goes; it must not exist.
        files: what is written.
        deleted: what is removed.
        parent: the commit before, None for a root commit.
        is_whole: nothing but `files` stays.
        head: author, committer and message, from `commit_head`.
    """
    pieces = [b"feature done\ncommit ", ref.encode(), b"\n", head]
    if parent is not None:
        pieces.append(f"from {parent}\n".encode())
    if is_whole:
        pieces.append(b"deleteall\n")
    pieces += [b"D " + _quote(path) + b"\n" for path in deleted]
    for path, content in files:
        mode = b"120000" if content.is_link else b"100755" if content.is_executable else b"100644"
        pieces += (b"M ", mode, b" inline ", _quote(path), b"\n", _data(content.data))
    pieces.append(b"\ndone\n")
    return b"".join(pieces)


def commit_head(author: Author, message: str, *, at: datetime) -> bytes:
    """Return author, committer and message as fast-import takes them."""
    return _idents(author, at) + _data(_message(message))


def commit_object(tree: str, parents: Iterable[str], author: Author, message: str, *, at: datetime) -> bytes:
    """Return the content of a commit object."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    return "\n".join(lines).encode() + b"\n" + _idents(author, at) + b"\n" + _message(message)


def _idents(author: Author, at: datetime) -> bytes:
    seconds = int(at.timestamp())
    return (f"author {_ident(author)} {seconds} +0000\ncommitter {_ident(_COMMITTER)} {seconds} +0000\n").encode()


def _ident(author: Author) -> str:
    name = " ".join(_NOT_IN_IDENTS.sub(" ", author.name).split()).strip(" .,:;\"'") or "unknown"
    return f"{name} <{_NOT_IN_IDENTS.sub('', author.email).strip() or 'unknown@localhost'}>"


def _message(message: str) -> bytes:
    return (message.replace("\0", "").strip() + "\n").encode("utf-8", "replace")


def _data(data: bytes) -> bytes:
    return f"data {len(data)}\n".encode() + data + b"\n"


def _quote(path: str) -> bytes:
    return b'"' + path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
