"""The words of the domain as types: read models, events, and what a git host can do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from roadbed.core.events import Event

ZERO_SHA = "0" * 40
"""What git calls the commit of a ref that does not exist."""

BUILTIN_HOST = "builtin"

MOST_PATHS = 1_000
"""How many of the files that a change request changes are kept with it."""


class StatusState(StrEnum):
    """What a pipeline says about a commit."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


class ChangeRequestState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class MergeMethod(StrEnum):
    """`merge` keeps the commits and joins them with one of two parents; `squash` makes one commit of them."""

    MERGE = "merge"
    SQUASH = "squash"


@dataclass(frozen=True)
class Author:
    """Who a commit names."""

    name: str
    email: str


@dataclass(frozen=True)
class FileContent:
    """A file to be written. A link's data is where it points to."""

    data: bytes
    is_executable: bool = False
    is_link: bool = False


Files = Mapping[str, FileContent]


@dataclass(frozen=True)
class TreeEntry:
    """One name in a folder. `size_bytes` is None for folders and submodules."""

    path: str
    kind: str
    sha: str
    mode: str
    size_bytes: int | None

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def is_folder(self) -> bool:
        return self.kind == "tree"


@dataclass(frozen=True)
class Commit:
    """A commit. `body` is the message after its first line."""

    sha: str
    parents: tuple[str, ...]
    author: Author
    at: datetime
    subject: str
    body: str = ""


@dataclass(frozen=True)
class Repository:
    """What is known about a repository. `created_by_run` is the run that made it, where one did."""

    id: UUID
    owner: str
    name: str
    description: str
    default_branch: str
    is_protected: bool
    host: str
    entity_ref: str | None
    created_by: str
    created_by_id: str
    created_by_run: UUID | None
    required_checks: tuple[str, ...]
    has_commits: bool
    created_at: datetime
    updated_at: datetime

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True)
class CommitStatus:
    """The newest word of one `context` (`pipeline/test`) about one commit."""

    sha: str
    context: str
    state: StatusState
    description: str
    url: str | None
    updated_at: datetime


@dataclass(frozen=True)
class ChangeRequest:
    """A wish to bring the commits of one branch into another."""

    id: UUID
    repository_id: UUID
    number: int
    title: str
    description: str
    source_branch: str
    target_branch: str
    base_sha: str
    head_sha: str
    state: ChangeRequestState
    author: str
    author_id: str
    created_at: datetime
    updated_at: datetime
    merged_by: str | None = None
    merge_sha: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class OpenChanges:
    """How many change requests are open in the repository of an entity."""

    repository: str
    count: int

    @property
    def page(self) -> str:
        return f"/repositories/{self.repository}/changes"


@dataclass(frozen=True, kw_only=True)
class Pushed(Event):
    """A ref moved, by a push or by Roadbed itself. `before` or `after` is `ZERO_SHA` when it began or ended."""

    name: ClassVar[str] = "scm.pushed"

    repository_id: str
    owner: str
    repository: str
    ref: str
    before: str
    after: str
    pusher: str
    is_default_branch: bool

    @property
    def aggregate(self) -> str:
        return f"repository:{self.repository_id}"

    @property
    def branch(self) -> str | None:
        """The branch, when the ref is one."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None


@dataclass(frozen=True, kw_only=True)
class ChangeRequestChanged(Event):
    """A change request was opened, updated (new commits), approved, merged or closed, as `action` says."""

    name: ClassVar[str] = "scm.change_request_changed"

    repository_id: str
    owner: str
    repository: str
    number: int
    action: str
    state: str
    source_branch: str
    target_branch: str
    head_sha: str
    actor: str

    @property
    def aggregate(self) -> str:
        return f"repository:{self.repository_id}"


@dataclass(frozen=True, kw_only=True)
class RepositoryDeleted(Event):
    """A repository is gone from the database; its host removes the git data."""

    name: ClassVar[str] = "scm.repository_deleted"

    repository_id: str
    owner: str
    repository: str
    host: str

    @property
    def aggregate(self) -> str:
        return f"repository:{self.repository_id}"


@dataclass(frozen=True, kw_only=True)
class PushReceived(Event):
    """Another host tells that a branch of the repository at `url` moved."""

    name: ClassVar[str] = "scm.push_received"

    hook_id: str
    url: str
    branch: str
    is_default_branch: bool

    @property
    def aggregate(self) -> str:
        return f"incoming-webhook:{self.hook_id}"


@dataclass(frozen=True, kw_only=True)
class WebhookDue(Event):
    """A delivery waits to be sent."""

    name: ClassVar[str] = "scm.webhook_due"

    delivery_id: str

    @property
    def aggregate(self) -> str:
        return f"webhook-delivery:{self.delivery_id}"


@dataclass(frozen=True)
class DiffLine:
    """A line of a hunk: kind `add`, `del` or `same`, with its numbers before and after."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True)
class Hunk:
    head: str
    lines: list[DiffLine] = field(default_factory=list)


@dataclass
class FileDiff:
    """How one file changed. `note` says why no lines are shown, when there are none."""

    path: str
    old_path: str | None = None
    status: str = "changed"
    added: int = 0
    removed: int = 0
    hunks: list[Hunk] = field(default_factory=list)
    note: str | None = None


@dataclass(frozen=True)
class Diff:
    """All files that differ. `is_cut` when there were more lines than are shown."""

    files: tuple[FileDiff, ...]
    is_cut: bool = False

    @property
    def added(self) -> int:
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        return sum(file.removed for file in self.files)


class ScmHost(Protocol):
    """What the domain needs from whoever keeps the git data.

    Revisions are names of branches and tags, and commit ids; where two states are compared, both are commit ids.
    """

    name: str

    def clone_url(self, repository: Repository) -> str: ...

    async def delete(self, repository_id: UUID) -> None:
        """Remove the git data; it may be gone already."""

    async def list_branches(self, repository: Repository) -> dict[str, str]:
        """Return the commit of each branch."""

    async def find_commit(self, repository: Repository, revision: str) -> str | None:
        """Return the full id of the commit that `revision` names."""

    async def get_commit(self, repository: Repository, revision: str) -> str:
        """Return the full id of the commit that `revision` names.

        Raises:
            RevisionNotFound: no branch, tag or commit has that name.
        """

    async def list_commits(
        self, repository: Repository, revision: str, *, path: str = "", skip: int = 0, limit: int
    ) -> list[Commit]:
        """List the commits of a revision, or those that changed `path`, newest first."""

    async def list_range(self, repository: Repository, base: str, head: str, *, limit: int) -> list[Commit]:
        """List the commits of `head` that are not in `base`, newest first."""

    async def list_tree(self, repository: Repository, revision: str, path: str = "") -> list[TreeEntry]:
        """List a folder, folders first."""

    async def list_files(self, repository: Repository, revision: str, path: str = "") -> list[TreeEntry]:
        """List all files below a folder, at any depth."""

    async def find_last_changes(
        self, repository: Repository, revision: str, entries: Iterable[TreeEntry]
    ) -> dict[str, Commit]:
        """Return the commit that last changed each entry of one folder, as far back as the host looks."""

    async def read_file(self, repository: Repository, revision: str, path: str, *, limit_bytes: int) -> bytes: ...

    async def read_blobs(self, repository: Repository, entries: list[TreeEntry]) -> dict[str, FileContent]:
        """Return the content of files that `list_files` gave, in one go."""

    async def find_base(self, repository: Repository, one: str, other: str) -> str | None:
        """Return the newest commit that both have; None when they share none."""

    async def is_ancestor(self, repository: Repository, elder: str, younger: str) -> bool: ...

    async def find_conflicts(self, repository: Repository, target: str, head: str) -> list[str]:
        """Return the paths that both sides changed in ways git cannot join."""

    async def compare(self, repository: Repository, base: str, head: str) -> Diff:
        """Return what `head` changed since it left `base`."""

    async def list_changed_paths(self, repository: Repository, base: str, head: str, *, limit: int) -> list[str]:
        """Return the files that `head` changed since it left `base`, at most `limit`."""

    async def show(self, repository: Repository, commit: Commit) -> Diff:
        """Return what one commit changed, against its first parent."""

    async def commit(self, repository: Repository, change: "TreeChange") -> str:
        """Make the commit and move the branch to it; returns its id."""

    async def merge(self, repository: Repository, plan: "MergePlan") -> str:
        """Bring one branch into another; returns the new commit of the target."""

    async def set_ref(self, repository: Repository, ref: str, sha: str) -> None:
        """Point a ref, given by its full name, to a commit."""

    async def set_head(self, repository: Repository, branch: str) -> None:
        """Make `branch` what a clone checks out."""

    async def keep(self, repository: Repository, number: int, sha: str) -> None:
        """Keep the commits of change request `number`, also when its branch is deleted."""


@dataclass(frozen=True)
class TreeChange:
    """A commit to be made.

    Args:
        ref: the full ref it goes to.
        files: what to write, by path.
        message: the commit's message.
        author: whom it names.
        deleted: paths to remove.
        is_whole: `files` is the whole tree; what is not in it goes.
        expected: the commit the ref must be at; `ZERO_SHA` when it must not exist; None for wherever it is.
        parent: the commit to build on, when it is another one than the ref's.
        key: the same key gives the same commit, also after a crash in the middle.
    """

    ref: str
    files: Files
    message: str
    author: Author
    deleted: tuple[str, ...] = ()
    is_whole: bool = False
    expected: str | None = None
    parent: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class MergePlan:
    """A merge to be made: `head` into `target`, which must be at `expected`."""

    target: str
    expected: str
    head: str
    method: MergeMethod
    message: str
    author: Author
    key: str
