"""What other domains may use of repositories and change requests.

Verbs that take a session join its transaction. Verbs that take `Services` change git, which no transaction can take
back: they run in transactions of their own, and what they need must be committed before.
"""

from roadbed.scm.access import REPOSITORY_CREATE, REPOSITORY_MANAGE
from roadbed.scm.errors import (
    MergeBlocked,
    MergeConflict,
    PathNotFound,
    RefMoved,
    RepositoryExists,
    RepositoryNotFound,
    RevisionNotFound,
)
from roadbed.scm.rules.addresses import read_address
from roadbed.scm.rules.formats import author_of
from roadbed.scm.rules.names import branch_ref, check_slug
from roadbed.scm.service.changes import (
    ChangeRequestWish,
    get_change_request,
    merge_change_request,
    open_change_request,
)
from roadbed.scm.service.contents import (
    clone_url,
    commit_files,
    export,
    find_commit,
    list_branches,
    list_files,
    list_tree,
    load_folder,
    read_file,
    read_tree,
    save_folder,
    set_roadbed_ref,
)
from roadbed.scm.service.lookup import find_created_repository, find_repository, get_repository, get_repository_by_id
from roadbed.scm.service.repositories import (
    RepositoryChange,
    RepositoryWish,
    change_repository,
    create_repository,
    delete_repository,
)
from roadbed.scm.service.statuses import StatusWish, list_commit_statuses, set_commit_status
from roadbed.scm.types import (
    ZERO_SHA,
    Author,
    ChangeRequest,
    ChangeRequestChanged,
    ChangeRequestState,
    Commit,
    CommitStatus,
    FileContent,
    MergeMethod,
    Pushed,
    PushReceived,
    Repository,
    RepositoryDeleted,
    StatusState,
    TreeChange,
    TreeEntry,
)

__all__ = [
    "REPOSITORY_CREATE",
    "REPOSITORY_MANAGE",
    "ZERO_SHA",
    "Author",
    "ChangeRequest",
    "ChangeRequestChanged",
    "ChangeRequestState",
    "ChangeRequestWish",
    "Commit",
    "CommitStatus",
    "FileContent",
    "MergeBlocked",
    "MergeConflict",
    "MergeMethod",
    "PathNotFound",
    "PushReceived",
    "Pushed",
    "RefMoved",
    "Repository",
    "RepositoryChange",
    "RepositoryDeleted",
    "RepositoryExists",
    "RepositoryNotFound",
    "RepositoryWish",
    "RevisionNotFound",
    "StatusState",
    "StatusWish",
    "TreeChange",
    "TreeEntry",
    "author_of",
    "branch_ref",
    "change_repository",
    "check_slug",
    "clone_url",
    "commit_files",
    "create_repository",
    "delete_repository",
    "export",
    "find_commit",
    "find_created_repository",
    "find_repository",
    "get_change_request",
    "get_repository",
    "get_repository_by_id",
    "list_branches",
    "list_commit_statuses",
    "list_files",
    "list_tree",
    "load_folder",
    "merge_change_request",
    "open_change_request",
    "read_address",
    "read_file",
    "read_tree",
    "save_folder",
    "set_commit_status",
    "set_roadbed_ref",
]
