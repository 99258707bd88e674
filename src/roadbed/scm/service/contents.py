"""Reading files and making commits without a clone."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from roadbed.core.actor import Actor
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.scm.rules.names import check_file_path
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.lookup import get_repository_by_id
from roadbed.scm.service.refs import changing_refs
from roadbed.scm.types import Commit, FileContent, Repository, TreeChange, TreeEntry

FILE_LIMIT_BYTES = 10_000_000
BATCH_BYTES = 16_000_000


async def commit_files(services: Services, actor: Actor, repository_id: UUID, change: TreeChange) -> str:
    """Make a commit and move its ref there, atomically and in a transaction of its own; returns the commit.

    The repository's creation must be committed. With a key, repeating it gives the same commit.

    Raises:
        RefMoved: the ref is not at `change.expected`.
        InvalidPath: a file cannot stand where it is wanted.
    """
    async with changing_refs(services, actor, repository_id) as writing:
        host = services.get(ScmHosts).of(writing.repository)
        return await host.commit(writing.repository, change)


async def set_roadbed_ref(services: Services, actor: Actor, repository_id: UUID, *, ref: str, sha: str) -> None:
    """Point a tag, or a ref under `refs/roadbed/`, to a commit."""
    if not ref.startswith(("refs/roadbed/", "refs/tags/")):
        raise ValueError(f"{ref} is neither a tag nor a ref of Roadbed's own")
    async with changing_refs(services, actor, repository_id) as writing:
        await services.get(ScmHosts).of(writing.repository).set_ref(writing.repository, ref, sha)


async def read_file(
    services: Services, repository: Repository, revision: str, path: str, *, limit_bytes: int = FILE_LIMIT_BYTES
) -> bytes:
    """Return the content of a file.

    Raises:
        RevisionNotFound: there is no such branch, tag or commit.
        PathNotFound: there is no such file.
        FileTooLarge: it has more than `limit_bytes`.
    """
    return await services.get(ScmHosts).of(repository).read_file(repository, revision, path, limit_bytes=limit_bytes)


async def list_tree(services: Services, repository: Repository, revision: str, path: str = "") -> list[TreeEntry]:
    """List a folder, folders first."""
    return await services.get(ScmHosts).of(repository).list_tree(repository, revision, path)


async def list_files(services: Services, repository: Repository, revision: str, path: str = "") -> list[TreeEntry]:
    """List all files below a folder, at any depth."""
    return await services.get(ScmHosts).of(repository).list_files(repository, revision, path)


async def read_tree(
    services: Services, repository: Repository, revision: str, path: str = ""
) -> dict[str, FileContent]:
    """Return all files below a folder with their content, by path from the repository's root."""
    return await read_entries(
        services, repository, await services.get(ScmHosts).of(repository).list_files(repository, revision, path)
    )


async def read_entries(services: Services, repository: Repository, entries: list[TreeEntry]) -> dict[str, FileContent]:
    """Return the content of files that `list_files` gave, by path from the repository's root."""
    host = services.get(ScmHosts).of(repository)
    files: dict[str, FileContent] = {}
    for batch in _batches(entries):
        files |= await host.read_blobs(repository, batch)
    return files


async def list_commits_between(
    services: Services, repository: Repository, base: str, head: str, *, limit: int
) -> list[Commit]:
    """List the commits that `head` has and `base` has not, newest first. Both are commit ids that exist."""
    return await services.get(ScmHosts).of(repository).list_range(repository, base, head, limit=limit)


async def find_commit(services: Services, repository: Repository, revision: str) -> str | None:
    """Return the full id of the commit that a branch, tag or abbreviated id names."""
    return await services.get(ScmHosts).of(repository).find_commit(repository, revision)


async def list_branches(services: Services, repository: Repository) -> dict[str, str]:
    """Return the commit of each branch, by its name."""
    return await services.get(ScmHosts).of(repository).list_branches(repository)


async def export(services: Services, repository_id: UUID, revision: str, folder: Path) -> str:
    """Write the files of a commit into an empty folder, without git data; returns the commit's id."""
    async with services.get(Database).read() as session:
        repository = await get_repository_by_id(session, repository_id)
    host = services.get(ScmHosts).of(repository)
    sha = await host.get_commit(repository, revision)
    links: dict[str, FileContent] = {}
    for batch in _batches(await host.list_files(repository, sha)):
        files = await host.read_blobs(repository, batch)
        links |= {path: content for path, content in files.items() if content.is_link}
        await asyncio.to_thread(_write, folder, {path: file for path, file in files.items() if not file.is_link})
    await asyncio.to_thread(_write, folder, links)  # last: nothing is written through a link
    return sha


def clone_url(services: Services, repository: Repository) -> str:
    """Return the address for `git clone`; a token is the password."""
    return services.get(ScmHosts).of(repository).clone_url(repository)


def load_folder(folder: Path) -> dict[str, FileContent]:
    """Return all files below `folder`, for a `TreeChange`; `.git` is left out."""
    files: dict[str, FileContent] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if ".git" in name.parts:
            continue
        if path.is_symlink():
            files[name.as_posix()] = FileContent(bytes(path.readlink()), is_link=True)
        elif path.is_file():
            files[name.as_posix()] = FileContent(path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return files


def _batches(entries: list[TreeEntry]) -> list[list[TreeEntry]]:
    """Divide files so that a batch fits in memory; submodules hold no files here and are left out."""
    batches: list[list[TreeEntry]] = [[]]
    size_bytes = 0
    for entry in entries:
        if entry.kind != "blob":
            continue
        size_bytes += entry.size_bytes or 0
        if size_bytes > BATCH_BYTES and batches[-1]:
            batches.append([])
            size_bytes = entry.size_bytes or 0
        batches[-1].append(entry)
    return [batch for batch in batches if batch]


def save_folder(folder: Path, files: Mapping[str, FileContent]) -> None:
    """Write files below `folder`, links last, so that nothing is written through a link."""
    _write(folder, {path: content for path, content in files.items() if not content.is_link})
    _write(folder, {path: content for path, content in files.items() if content.is_link})


def _write(folder: Path, files: dict[str, FileContent]) -> None:
    for path, content in files.items():
        target = folder / check_file_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if content.is_link:
            target.symlink_to(content.data.decode("utf-8", "surrogateescape"))
            continue
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(target, flags, 0o755 if content.is_executable else 0o644), "wb") as file:
            file.write(content.data)
