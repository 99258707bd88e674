"""The built-in git host: bare repositories in the home folder, each under its id.

It knows git and folders, not the database: what a change of refs means is recorded by `refs`. Its methods that write
are called inside `refs.changing_refs`, which holds the repository's lock.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID, uuid4

from roadbed.core.settings import ScmSettings
from roadbed.kit.clock import now
from roadbed.scm.errors import (
    GitFailed,
    MergeConflict,
    PathNotFound,
    RefMoved,
    RepositoryMissing,
    RevisionNotFound,
)
from roadbed.scm.rules.diffs import parse_diff
from roadbed.scm.rules.formats import (
    COMMIT_FORMAT,
    commit_head,
    commit_object,
    import_stream,
    parse_changed_paths,
    parse_commits,
    parse_tree,
)
from roadbed.scm.rules.names import branch_ref, check_file_path
from roadbed.scm.service.git import Git, file_too_large, init_repository
from roadbed.scm.service.locks import RepositoryLocks
from roadbed.scm.types import (
    BUILTIN_HOST,
    ZERO_SHA,
    Commit,
    Diff,
    FileContent,
    MergeMethod,
    MergePlan,
    Repository,
    TreeChange,
    TreeEntry,
)

SEEN_REFS = ("refs/heads/", "refs/tags/")
WRITES = "refs/roadbed/writes"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
DIFF_BYTES = 4_000_000
TREE_HISTORY = 500
_UNFINISHED = ".new"
_DIFF = ("--no-color", "--no-ext-diff", "--no-textconv", "--full-index", "-M", "--src-prefix=a/", "--dst-prefix=b/")


class BuiltinHost:
    """Keeps git data on this machine. Implements `ScmHost`."""

    name = BUILTIN_HOST

    def __init__(
        self, folder: Path, *, base_url: str, settings: ScmSettings, elsewhere: Callable[[], Exception] | None
    ) -> None:
        """Open the folder of repositories; `elsewhere` is the error where they are with another process."""
        self.folder = folder
        self._elsewhere = elsewhere
        self.settings = settings
        self.locks = RepositoryLocks(folder)
        self.transfers = asyncio.Semaphore(settings.concurrent_transfers)
        self._base_url = base_url

    def clone_url(self, repository: Repository) -> str:
        return f"{self._base_url}/git/{repository.full_name}.git"

    def page_url(self, repository: Repository) -> str:
        """Return the address of the repository's page, for messages in a terminal."""
        return f"{self._base_url}/repositories/{repository.full_name}"

    def folder_of(self, repository_id: UUID) -> Path:
        return self.folder / f"{repository_id}.git"

    def require_here(self) -> None:
        """Refuse what needs git data, where it is with another process.

        Raises:
            HostElsewhere.
        """
        if self._elsewhere is not None:
            raise self._elsewhere()

    async def open(self, repository: Repository) -> Git:
        """Return git in the repository's folder, which is made when the repository has never been used.

        Raises:
            RepositoryMissing: it had commits and its folder is gone.
            HostElsewhere: git data is with another process.
        """
        self.require_here()
        folder = self.folder_of(repository.id)
        if not folder.is_dir():
            if repository.has_commits:
                raise RepositoryMissing(
                    f"The git data of {repository.full_name} is not where it was: {folder.name} is missing.",
                    hint="Restore the folder `repositories` of the home folder from a backup.",
                )
            fresh = self.folder / f"{repository.id}.{uuid4().hex}{_UNFINISHED}"
            try:
                await init_repository(fresh, default_branch=repository.default_branch)
                fresh.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another was faster
                    raise
            finally:
                if fresh.exists():
                    await asyncio.to_thread(shutil.rmtree, fresh)
        return Git(folder)

    def discard_unfinished(self) -> None:
        """Remove what a killed server had begun to make a repository of; only before anybody is let in."""
        for fresh in self.folder.glob(f"*{_UNFINISHED}"):
            shutil.rmtree(fresh)

    async def delete(self, repository_id: UUID) -> None:
        """Remove the git data; it may be gone already."""
        folder = self.folder_of(repository_id)
        async with self.locks.hold(repository_id):
            if folder.is_dir():
                await asyncio.to_thread(shutil.rmtree, folder)
        (self.folder / f"{repository_id}.lock").unlink(missing_ok=True)

    async def list_refs(self, repository: Repository) -> dict[str, str]:
        """Return the object of each branch and tag, by full name."""
        git = await self.open(repository)
        output = await git.text("for-each-ref", "--format=%(objectname) %(refname)", *SEEN_REFS)
        return {ref: sha for sha, _, ref in (line.partition(" ") for line in output.splitlines())}

    async def list_branches(self, repository: Repository) -> dict[str, str]:
        refs = await self.list_refs(repository)
        prefix = branch_ref("")
        return {ref.removeprefix(prefix): sha for ref, sha in refs.items() if ref.startswith(prefix)}

    async def find_commit(self, repository: Repository, revision: str) -> str | None:
        git = await self.open(repository)
        if not revision or not revision.isprintable() or len(revision) > 300 or any(c in revision for c in " ^~:@{"):
            return None
        candidates = [f"refs/heads/{revision}", f"refs/tags/{revision}"]
        if 4 <= len(revision) <= 40 and all(character in "0123456789abcdef" for character in revision):
            candidates.append(revision)
        if revision.startswith("refs/"):
            candidates.append(revision)
        wanted = "".join(f"{candidate}^{{commit}}\n" for candidate in candidates)
        found = await git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=wanted.encode())
        for line in found.text.splitlines():
            sha, _, kind = line.rpartition(" ")
            if kind == "commit":
                return sha
        return None

    async def get_commit(self, repository: Repository, revision: str) -> str:
        sha = await self.find_commit(repository, revision)
        if sha is None:
            raise RevisionNotFound(
                f"{repository.full_name} has no branch, tag or commit {revision[:100]!r}.",
                hint=f"Its default branch is {repository.default_branch}.",
            )
        return sha

    async def list_commits(
        self, repository: Repository, revision: str, *, path: str = "", skip: int = 0, limit: int
    ) -> list[Commit]:
        git = await self.open(repository)
        sha = await self.get_commit(repository, revision)
        paths = ("--", f":(literal){check_file_path(path)}") if path else ()
        output = await git.run(
            "log", "-z", f"--format={COMMIT_FORMAT}", f"--skip={skip}", f"--max-count={limit}", sha, *paths
        )
        return parse_commits(output.text)

    async def list_range(self, repository: Repository, base: str, head: str, *, limit: int) -> list[Commit]:
        git = await self.open(repository)
        output = await git.run("log", "-z", f"--format={COMMIT_FORMAT}", f"--max-count={limit}", head, f"^{base}")
        return parse_commits(output.text)

    async def list_tree(self, repository: Repository, revision: str, path: str = "") -> list[TreeEntry]:
        git = await self.open(repository)
        sha = await self.get_commit(repository, revision)
        treeish = f"{sha}:{check_file_path(path)}" if path else sha
        result = await git.run("ls-tree", "-l", "-z", treeish, expected=(0, 128))
        if result.code != 0:
            raise _path_not_found(repository, revision, path)
        return parse_tree(result.text, folder=path)

    async def list_files(self, repository: Repository, revision: str, path: str = "") -> list[TreeEntry]:
        git = await self.open(repository)
        sha = await self.get_commit(repository, revision)
        treeish = f"{sha}:{check_file_path(path)}" if path else sha
        result = await git.run("ls-tree", "-r", "-l", "-z", treeish, expected=(0, 128))
        if result.code != 0:
            raise _path_not_found(repository, revision, path)
        return parse_tree(result.text, folder=path)

    async def find_last_changes(
        self, repository: Repository, revision: str, entries: Iterable[TreeEntry]
    ) -> dict[str, Commit]:
        """Return the commit that last changed each entry, as far as the last 500 commits tell."""
        git = await self.open(repository)
        wanted = {entry.path for entry in entries}
        if not wanted:
            return {}
        folder = next(iter(wanted)).rpartition("/")[0]
        paths = ("--", f":(literal){folder}") if folder else ()
        options = ("--first-parent", "-m", "--name-only", "-z", f"--format=%x1e{COMMIT_FORMAT}")
        output = await git.run("log", *options, f"--max-count={TREE_HISTORY}", revision, *paths)
        found: dict[str, Commit] = {}
        commit: Commit | None = None
        depth = folder.count("/") + 2 if folder else 1
        for value in parse_changed_paths(output.text):
            if isinstance(value, Commit):
                commit = value
            elif commit is not None:
                entry = "/".join(value.split("/")[:depth])
                if entry in wanted:
                    found.setdefault(entry, commit)
        return found

    async def read_file(self, repository: Repository, revision: str, path: str, *, limit_bytes: int) -> bytes:
        git = await self.open(repository)
        sha = await self.get_commit(repository, revision)
        wanted = f"{sha}:{check_file_path(path)}\n".encode()
        result = await git.run("cat-file", "--batch", stdin=wanted, limit_bytes=limit_bytes + 200)
        head, _, rest = result.stdout.partition(b"\n")
        words = head.split()
        if len(words) != 3 or words[1] != b"blob":
            raise _path_not_found(repository, revision, path)
        size_bytes = int(words[2])
        if size_bytes > limit_bytes:
            raise file_too_large(path, size_bytes, limit_bytes)
        return rest[:size_bytes]

    async def read_blobs(self, repository: Repository, entries: list[TreeEntry]) -> dict[str, FileContent]:
        git = await self.open(repository)
        wanted = "".join(f"{entry.sha}\n" for entry in entries).encode()
        output = (await git.run("cat-file", "--batch", stdin=wanted)).stdout
        files: dict[str, FileContent] = {}
        position = 0
        for entry in entries:
            line_end = output.index(b"\n", position)
            size_bytes = int(output[position:line_end].split()[2])
            data = output[line_end + 1 : line_end + 1 + size_bytes]
            position = line_end + size_bytes + 2
            files[entry.path] = FileContent(data, entry.mode == "100755", entry.mode == "120000")
        return files

    async def find_base(self, repository: Repository, one: str, other: str) -> str | None:
        git = await self.open(repository)
        result = await git.run("merge-base", one, other, expected=(0, 1))
        return result.text.strip() or None

    async def is_ancestor(self, repository: Repository, elder: str, younger: str) -> bool:
        git = await self.open(repository)
        return (await git.run("merge-base", "--is-ancestor", elder, younger, expected=(0, 1))).code == 0

    async def compare(self, repository: Repository, base: str, head: str) -> Diff:
        start = await self.find_base(repository, base, head) or EMPTY_TREE
        return await self._diff(repository, start, head)

    async def list_changed_paths(self, repository: Repository, base: str, head: str, *, limit: int) -> list[str]:
        git = await self.open(repository)
        start = await self.find_base(repository, base, head) or EMPTY_TREE
        result = await git.run("diff", "--name-only", "--no-renames", "-z", start, head, limit_bytes=DIFF_BYTES)
        return [path for path in result.text.split("\0")[:-1] if path][:limit]

    async def show(self, repository: Repository, commit: Commit) -> Diff:
        return await self._diff(repository, commit.parents[0] if commit.parents else EMPTY_TREE, commit.sha)

    async def _diff(self, repository: Repository, before: str, after: str) -> Diff:
        git = await self.open(repository)
        result = await git.run("diff", *_DIFF, before, after, limit_bytes=DIFF_BYTES)
        lines = result.text.split("\n")  # not splitlines: form feeds and the like are part of a line
        return parse_diff(lines[:-1], is_cut=result.is_cut)

    async def commit(self, repository: Repository, change: TreeChange) -> str:
        git = await self.open(repository)
        tip = await _read_ref(git, change.ref)
        write_ref = f"{WRITES}/{_key_digest(change.key)}"
        sha = await _read_ref(git, write_ref) if change.key else ZERO_SHA
        if ZERO_SHA not in (sha, tip) and await self.is_ancestor(repository, sha, tip):
            return sha
        if change.expected is not None and tip != change.expected:
            raise _moved(repository, change.ref, tip)
        if sha == ZERO_SHA:
            parent = change.parent or (tip if tip != ZERO_SHA else None)
            sha = await self._import(git, change, write_ref, parent)
            if parent is not None and tip == parent and await _has_same_tree(git, sha, parent):
                await git.run("update-ref", "-d", write_ref)
                return parent
        await _move(git, repository, change.ref, sha, tip)
        if not change.key:
            await git.run("update-ref", "-d", write_ref)
        return sha

    async def _import(self, git: Git, change: TreeChange, ref: str, parent: str | None) -> str:
        stream = import_stream(
            ref,
            files=[(check_file_path(path), content) for path, content in sorted(change.files.items())],
            deleted=[check_file_path(path) for path in change.deleted],
            parent=parent,
            is_whole=change.is_whole,
            head=commit_head(change.author, change.message, at=now()),
        )
        await git.run("fast-import", "--quiet", "--done", stdin=stream)
        return await git.text("rev-parse", "--verify", ref)

    async def merge(self, repository: Repository, plan: MergePlan) -> str:
        git = await self.open(repository)
        ref, write_ref = branch_ref(plan.target), f"{WRITES}/{_key_digest(plan.key)}"
        tip, sha = await _read_ref(git, ref), await _read_ref(git, write_ref)
        if sha != ZERO_SHA and await self.is_ancestor(repository, sha, tip):
            return sha
        if tip != plan.expected:
            raise _moved(repository, ref, tip)
        tree = await self._merge_trees(git, repository, plan)
        parents = (tip, plan.head) if plan.method is MergeMethod.MERGE else (tip,)
        content = commit_object(tree, parents, plan.author, plan.message, at=now())
        sha = (await git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=content)).text.strip()
        await git.run("update-ref", write_ref, sha)
        await _move(git, repository, ref, sha, tip)
        return sha

    async def _merge_trees(self, git: Git, repository: Repository, plan: MergePlan) -> str:
        options = ("--write-tree", "--name-only", "--no-messages", "-z")
        result = await git.run("merge-tree", *options, plan.expected, plan.head, expected=(0, 1))
        tree, *paths = result.text.split("\0")
        if result.code == 1:
            conflicts = sorted({path for path in paths if path})
            raise MergeConflict(
                f"{repository.full_name}: both sides changed the same lines of {', '.join(conflicts)}.",
                hint=f"Merge {plan.target} into the branch on your machine, settle the conflicts there and push: "
                f"`git fetch origin && git merge origin/{plan.target}`.",
                paths=conflicts,
            )
        return tree

    async def find_conflicts(self, repository: Repository, target: str, head: str) -> list[str]:
        git = await self.open(repository)
        options = ("--write-tree", "--name-only", "--no-messages", "-z")
        result = await git.run("merge-tree", *options, target, head, expected=(0, 1))
        return sorted({path for path in result.text.split("\0")[1:] if path}) if result.code == 1 else []

    async def set_ref(self, repository: Repository, ref: str, sha: str) -> None:
        git = await self.open(repository)
        await git.run("update-ref", ref, sha)

    async def set_head(self, repository: Repository, branch: str) -> None:
        git = await self.open(repository)
        await git.run("symbolic-ref", "HEAD", branch_ref(branch))

    async def keep(self, repository: Repository, number: int, sha: str) -> None:
        git = await self.open(repository)
        await git.run("update-ref", f"refs/roadbed/changes/{number}/head", sha)


async def _read_ref(git: Git, ref: str) -> str:
    result = await git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref, expected=(0, 1))
    return result.text.strip() or ZERO_SHA


async def _has_same_tree(git: Git, one: str, other: str) -> bool:
    return (await git.run("diff-tree", "--quiet", one, other, expected=(0, 1))).code == 0


async def _move(git: Git, repository: Repository, ref: str, sha: str, before: str) -> None:
    try:
        await git.run("update-ref", ref, sha, before)
    except GitFailed as error:
        tip = await _read_ref(git, ref)
        if tip == before:
            raise
        raise _moved(repository, ref, tip) from error


def _moved(repository: Repository, ref: str, tip: str) -> RefMoved:
    where = "does not exist" if tip == ZERO_SHA else f"is at {tip[:7]}"
    return RefMoved(
        f"{ref.removeprefix('refs/heads/')} of {repository.full_name} {where} by now: somebody else was faster.",
        hint="Look at what changed, then try again.",
        tip=tip,
    )


def _key_digest(key: str | None) -> str:
    return hashlib.sha256((key or uuid4().hex).encode()).hexdigest()[:40]


def _path_not_found(repository: Repository, revision: str, path: str) -> PathNotFound:
    return PathNotFound(
        f"{repository.full_name} has no {path or 'files'} at {revision[:100]}.",
        hint="Look at the folder above it, or at another branch.",
    )
