"""Giving a workspace to the account of a sandbox, and taking it back."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from roadbed.core.sandbox.isolation import Isolation, UidPool
from roadbed.core.sandbox.spec import SandboxFailed


@dataclass(slots=True)
class Claim:
    """A workspace in use. `user_count` commands run in it now, all under the same account."""

    workspace: Path
    uid: int | None
    user_count: int = 0

    @property
    def temporary(self) -> Path:
        """The folder that its commands see as /tmp: beside the workspace, so that it is on disk and private."""
        return temporary_of(self.workspace)


def temporary_of(workspace: Path) -> Path:
    """Return the folder that is /tmp for the commands of a workspace."""
    return workspace.parent / f".{workspace.name}.tmp"


class Workspaces:
    """Which workspaces are in use, and by which account."""

    def __init__(self, isolation: Isolation, *, holder: str) -> None:
        self._isolation = isolation
        self._pool = UidPool(isolation.uids, holder=holder)
        self._claims: dict[Path, Claim] = {}

    def claim(self, workspace: Path, *, uid: int | None = None) -> Claim:
        """Count one more use of a workspace; the first one chooses the account and must be followed by `prepare`.

        Args:
            workspace: an existing folder.
            uid: the account that already works in it, when a running workload is adopted.
        """
        claim = self._claims.get(workspace)
        if claim is None:
            claim = self._claims[workspace] = Claim(workspace, self._take_uid(uid))
        claim.user_count += 1
        return claim

    def prepare(self, claim: Claim) -> None:
        """Make the temporary folder and give the workspace to its account. This takes time with many files."""
        if not claim.workspace.is_dir():
            raise SandboxFailed(f"The workspace {claim.workspace} does not exist.", hint="Make the folder first.")
        if claim.temporary.exists():
            remove_tree(claim.temporary)
        claim.temporary.mkdir(mode=0o700)
        if claim.uid is None:
            return
        if not self._isolation.mechanism.has_namespace:
            require_passable(claim.workspace)
        os.chown(claim.temporary, claim.uid, claim.uid)
        give_tree(claim.workspace, uid=claim.uid)
        claim.workspace.chmod(0o700)

    def release(self, claim: Claim) -> None:
        """End one use of a workspace; after the last one it belongs to the server again."""
        claim.user_count -= 1
        if claim.user_count:
            return
        del self._claims[claim.workspace]
        shutil.rmtree(claim.temporary, ignore_errors=True)  # without isolation a process may still write there
        if claim.uid is not None and claim.workspace.exists():
            # Closing the top keeps the next holder of this user id out; the files below may keep their owner.
            os.chown(claim.workspace, os.geteuid(), os.getegid())
            claim.workspace.chmod(0o700)
        self._release_uid(claim)

    def forget(self, claim: Claim) -> None:
        """Let go of a workspace whose workload goes on without this server."""
        del self._claims[claim.workspace]
        self._release_uid(claim)

    def end_left(self, end: Callable[[int], None]) -> None:
        """Have the accounts ended that an earlier server of this installation held when it was killed."""
        for uid in self._pool.list_left() if self._isolation.mechanism.has_uid else ():
            if self._pool.reserve(uid):
                end(uid)
                self._pool.release(uid)

    def _take_uid(self, uid: int | None) -> int | None:
        if not self._isolation.mechanism.has_uid:
            return None
        if uid is None:
            return self._pool.acquire()
        if not self._pool.reserve(uid):
            raise SandboxFailed(f"User id {uid} is in use by another sandbox.", hint="End that workload, start anew.")
        return uid

    def _release_uid(self, claim: Claim) -> None:
        if claim.uid is not None:
            self._pool.release(claim.uid)


def remove_tree(folder: Path) -> None:
    """Delete a folder, also where its folders were made read-only by what ran in it.

    What ran there may have put a link in its place: then the link goes, and what it points to stays.
    """
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink()
        return
    folder.chmod(0o700)
    for root, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(root) / name
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)


def find_file(workspace: Path, name: str) -> Path | None:
    """Return a regular file that a command left in its workspace, None when there is none of this name.

    The server reads with more rights than the command had: a link to a file elsewhere does not count, nor does a
    pipe that would never end. Only to be called after the command has ended.
    """
    path = (workspace / name).resolve()
    return path if path.is_relative_to(workspace.resolve()) and path.is_file() else None


def require_passable(path: Path) -> None:
    """Refuse a folder that another account cannot reach."""
    for parent in path.parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise SandboxFailed(
                f"{path} cannot be reached by the accounts of sandboxes: {parent} is closed to others.",
                hint="Install bubblewrap, or put Roadbed's home under a folder that others may pass.",
            )


def give_tree(folder: Path, *, uid: int) -> None:
    """Make an account the owner of a folder and of all in it.

    A file with several names may also stand elsewhere (git's local clones share objects): it is copied first, so
    that nothing outside the folder changes hands.
    """
    os.chown(folder, uid, uid, follow_symlinks=False)
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                give_tree(Path(entry.path), uid=uid)
                continue
            if stat.S_ISREG(status.st_mode) and status.st_nlink > 1 and status.st_uid != uid:
                _replace_by_copy(Path(entry.path), status)
            os.chown(entry.path, uid, uid, follow_symlinks=False)


def _replace_by_copy(path: Path, status: os.stat_result) -> None:
    if not status.st_mode & stat.S_IROTH:
        raise SandboxFailed(
            f"{path} is another name of a file that is closed to others.",
            hint="Delete this file, then start again: a command may have linked it to get at its content.",
        )
    descriptor, copy = tempfile.mkstemp(dir=path.parent)
    os.close(descriptor)
    shutil.copy2(path, copy, follow_symlinks=False)
    Path(copy).replace(path)
